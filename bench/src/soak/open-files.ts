/** Files that a process has open besides its connections, by a wide margin. */
const others = 200;

interface Report {
  readonly userLimits?: { readonly open_files?: { readonly soft: number | "unlimited" } };
}

/** How many files this process may have open at one time, as its children may; undefined where nobody says. */
export function openFilesLimit(): number | undefined {
  const soft = (process.report.getReport() as Report).userLimits?.open_files?.soft;
  return typeof soft === "number" ? soft : undefined;
}

/** Why that many connections cannot be had, each being a file to the client and one to the server; undefined if they can. */
export function tooFewOpenFiles(connections: number, limit: number | undefined): string | undefined {
  const needed = connections + others;
  if (limit === undefined || limit >= needed) return undefined;
  return (
    `expected a limit of at least ${needed} open files for ${connections} connections, got ${limit}: ` +
    `raise it (ulimit -n), or ask for fewer (--connections ${Math.max(limit - others, 0)})`
  );
}
