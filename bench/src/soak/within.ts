/** Milliseconds that a server has for anything; long, as a run is to find what never comes and not what is slow. */
export const patience = 30_000;

/** Rejects if it takes longer than `patience`. */
export async function within<Value>(work: Promise<Value>, name: string): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`expected ${name} within ${patience} ms`)), patience);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
