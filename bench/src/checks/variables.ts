/** The environment variables by which a run tells its processes what to be. */
export const layerVariable = "CHECK_LAYER";
export const directoryVariable = "CHECK_DIRECTORY";
export const urlVariable = "CHECK_URL";
export const prefixVariable = "CHECK_PREFIX";
export const transportVariable = "CHECK_TRANSPORT";

export function fromEnvironment(variable: string): string {
  const value = process.env[variable];
  if (value === undefined) throw new Error(`expected ${variable} in the environment`);
  return value;
}
