/** Whether Django Channels can take part, and in which versions. */
import { spawnSync } from "node:child_process";

export type PythonServer = "uvicorn" | "daphne";

/** Debian's, which has Debian's packages. */
export const python = "/usr/bin/python3";

/** Of the names that it is given, those that are installed, with their versions. */
const probe = `
import importlib.metadata, json, platform, sys
found = {"Python": platform.python_version()}
for name in sys.argv[1:]:
    try:
        found[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        pass
print(json.dumps(found))
`;

/** By their names on PyPI: each is needed, or one of several. Next to it, the package of Debian's that has it. */
const needed: Readonly<Record<PythonServer, readonly (readonly [names: readonly string[], debian: string])[]>> = {
  uvicorn: [
    [["uvicorn"], "python3-uvicorn"],
    [["websockets", "wsproto"], "python3-websockets or python3-wsproto"],
  ],
  daphne: [[["daphne"], "daphne"]],
};
const neededByBoth = [
  [["channels"], "python3-django-channels"],
  [["Django"], "python3-django"],
  [["PyJWT"], "python3-jwt"],
] as const;

/** What uvicorn takes where it is there. */
const faster = ["uvloop", "httptools"];

let installed: Readonly<Record<string, string>> | undefined;

/** Undefined without Python. */
function versionsFound(): Readonly<Record<string, string>> | undefined {
  const names = [...neededByBoth, ...needed.uvicorn, ...needed.daphne].flatMap(([names]) => names);
  const { stdout, status } = spawnSync(python, ["-c", probe, ...names, ...faster], { encoding: "utf8" });
  return status === 0 ? (JSON.parse(stdout) as Record<string, string>) : undefined;
}

/** Why Channels cannot run on this server here; undefined if it can. */
export function channelsMissing(server: PythonServer): string | undefined {
  installed ??= versionsFound();
  if (process.platform !== "linux") return "what it costs is read from /proc, which Linux has";
  if (installed === undefined) return `there is no ${python}`;
  const found = installed;
  const lacking = [...neededByBoth, ...needed[server]].filter(([names]) => !names.some((name) => name in found));
  return lacking.length === 0 ? undefined : `${python} lacks ${lacking.map(([, debian]) => debian).join(", ")}`;
}

/** As uvicorn is as fast as what it finds, it says that, too. */
export function channelsVersions(server: PythonServer): readonly string[] {
  installed ??= versionsFound() ?? {};
  const names = [...neededByBoth, ...needed[server]].flatMap(([names]) => names);
  const all = ["Python", ...names, ...(server === "uvicorn" ? faster : [])];
  return all.flatMap((name) => (installed?.[name] === undefined ? [] : `${name} ${installed[name]}`));
}
