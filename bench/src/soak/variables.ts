/** The environment variables by which a run tells its server's process what to be. */
export const transportVariable = "SOAK_TRANSPORT";
export const leakVariable = "SOAK_LEAK";
