/** A key and a certificate for localhost and 127.0.0.1 that nobody trusts, and a key that does not belong to it. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TlsFiles } from "@sluice/core";
import { onTestFinished } from "vitest";

const pem = (what: string, ...lines: string[]): string =>
  [`-----BEGIN ${what}-----`, ...lines, `-----END ${what}-----`, ""].join("\n");

const key = pem(
  "PRIVATE KEY",
  "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgbdDrpAmyzgHKIGDE",
  "Ns6togdDURqww1WQeMvIpd54brmhRANCAASlogbuaXdhiO3aRj1lWmXN4+hgY3ZX",
  "YAFSvzU55GM8YnavwPB6nU/9m5NB9MH5XanbcV+rIvJio48Wl/YPGnSX",
);

const otherKey = pem(
  "PRIVATE KEY",
  "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgOWmkazbXCUlXYa8g",
  "czmjeoAJfhcaukVFulf4RtNoj76hRANCAAS27jhdVlL+pRgS2Dh4tL2bz0DzveWK",
  "RM3qnabwE5FenUOoZEdGpETPjpOHDa7HUD8W8KftwfBcasUg8gdARm3z",
);

const cert = pem(
  "CERTIFICATE",
  "MIIBmzCCAUGgAwIBAgIUL+DuhryXnFEaov9Cke6nK6tICAcwCgYIKoZIzj0EAwIw",
  "FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMjExMjQ1MFoYDzIxMjYxMDI5",
  "MTEyNDUwWjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO",
  "PQMBBwNCAASlogbuaXdhiO3aRj1lWmXN4+hgY3ZXYAFSvzU55GM8YnavwPB6nU/9",
  "m5NB9MH5XanbcV+rIvJio48Wl/YPGnSXo28wbTAdBgNVHQ4EFgQUmk5V/FotSPYj",
  "mhHMX97eFrpTcc8wHwYDVR0jBBgwFoAUmk5V/FotSPYjmhHMX97eFrpTcc8wDwYD",
  "VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI",
  "zj0EAwIDSAAwRQIgaenMwetDb8fOzRtMpX5Pjt8bpEEIcwbyfUtOtrrZtdACIQDI",
  "DxGpWtPNDVAVCtxYJ1Eb1betURInaChpXmLROhbKxQ==",
);

/** An empty directory for the length of the test. */
export async function temporaryDirectory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "sluice-"));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** Files that are there for the length of the test. */
export async function tlsFiles(): Promise<TlsFiles & { readonly otherKey: string }> {
  const directory = await temporaryDirectory();
  const write = async (name: string, content: string): Promise<string> => {
    const path = join(directory, name);
    await writeFile(path, content, { mode: 0o600 });
    return path;
  };
  return {
    key: await write("key.pem", key),
    cert: await write("cert.pem", cert),
    otherKey: await write("other-key.pem", otherKey),
  };
}
