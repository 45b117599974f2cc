import { spawn } from "node:child_process";
import { once } from "node:events";
import { link, lstat, readFile, writeFile } from "node:fs/promises";
import { type ClientRequest, get } from "node:http";
import { get as getSecurely } from "node:https";
import { connect, createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type App, ConfigurationError, type Scope } from "@sluice/core";
import { describe, expect, onTestFinished, test } from "vitest";
import { type ClientOptions, WebSocket } from "ws";
import { RecordingLogger } from "../../recording-logger.js";
import { answering } from "./applications.js";
import { compose, start, type TransportContract, type TransportServer, testIfCapable } from "./harness.js";
import { RawClient } from "./raw-client.js";
import { temporaryDirectory, tlsFiles } from "./tls-files.js";

/** What it says of the connection, over HTTP and over a WebSocket. */
const telling = (tell: (scope: Scope<"http"> | Scope<"websocket">) => unknown): App => {
  return compose({
    http: (scope, receive, send) => answering(JSON.stringify(tell(scope)))(scope, receive, send),
    websocket: async (scope, receive, send) => {
      await send({ type: "websocket.accept" });
      await send({ type: "websocket.send", text: JSON.stringify(tell(scope)) });
      await receive.pipe(() => {});
    },
  });
};

async function told(request: ClientRequest): Promise<unknown> {
  const [response] = await once(request, "response");
  return JSON.parse(await text(response));
}

async function toldByWebSocket(url: string, options: ClientOptions = {}): Promise<unknown> {
  const socket = new WebSocket(url, options);
  onTestFinished(() => socket.terminate());
  const [message] = await once(socket, "message");
  return JSON.parse(String(message));
}

const busy = `
  const server = require("node:net").createServer();
  server.listen({ path: process.argv[1], backlog: 1 }, () => {
    require("node:fs").writeSync(1, "listening");
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
`;

/** A server that takes no connections, with as many in its queue as there is room for. */
async function fullServer(path: string): Promise<void> {
  const server = spawn(process.execPath, ["-e", busy, path], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void server.kill("SIGKILL"));
  await once(server.stdout, "data");
  for (let full = false; !full; ) {
    const socket = connect(path);
    onTestFinished(() => void socket.destroy());
    full = await once(socket, "connect").then(
      () => false,
      (error: NodeJS.ErrnoException) => {
        if (error.code === "EAGAIN") return true;
        throw error;
      },
    );
  }
}

export function listening(contract: TransportContract): void {
  const serve = async (app: App, options: object): Promise<TransportServer> => {
    const server = await contract.serve(app, { port: 0, logger: new RecordingLogger(), ...options });
    onTestFinished(() => server.close({ deadline: 0 }));
    return server;
  };

  describe("with TLS", () => {
    const trusting = { rejectUnauthorized: false };

    testIfCapable(contract, "servesTls", "carries requests and WebSockets, and says so", async () => {
      const { key, cert } = await tlsFiles();
      const server = await serve(
        telling(({ scheme }) => scheme),
        { tls: { key, cert } },
      );
      expect(server.url).toBe(`https://127.0.0.1:${server.port}`);
      expect(await told(getSecurely(server.url, { ...trusting, agent: false }))).toBe("https");
      expect(await toldByWebSocket(server.url, trusting)).toBe("wss");
    });

    testIfCapable(contract, "servesTls", "gets through to a client what it closes with", async () => {
      const { key, cert } = await tlsFiles();
      const server = await serve(
        telling(() => "hello"),
        { tls: { key, cert } },
      );
      const socket = new WebSocket(server.url, trusting);
      await once(socket, "message");
      const closed = once(socket, "close");
      await server.close();
      expect((await closed)[0]).toBe(1012);
    });

    testIfCapable(contract, "servesTls", "lives on after a client that does not speak it", async () => {
      const { key, cert } = await tlsFiles();
      const server = await serve(
        telling(() => "alive"),
        { tls: { key, cert } },
      );
      for (const nonsense of ["GET / HTTP/1.1\r\nHost: test.example\r\n\r\n", "\x16\x03\x01\x02\0\x01", ""]) {
        const client = await RawClient.send(server.port, nonsense);
        client.socket.end();
        await client.gone;
      }
      expect(await told(getSecurely(server.url, { ...trusting, agent: false }))).toBe("alive");
    });

    for (const missing of ["key", "cert"] as const) {
      testIfCapable(contract, "servesTls", `needs a ${missing} that can be read, and names it`, async () => {
        const { key, cert } = await tlsFiles();
        const tls = { key, cert, [missing]: "/no/such/file.pem" };
        const started = contract.serve(() => {}, { port: 0, logger: new RecordingLogger(), tls });
        await expect(started).rejects.toBeInstanceOf(ConfigurationError);
        await expect(started).rejects.toThrow("/no/such/file.pem");
      });
    }

    testIfCapable(contract, "servesTls", "needs a key and a certificate that match, and names them", async () => {
      const { otherKey, cert } = await tlsFiles();
      const started = contract.serve(() => {}, {
        port: 0,
        logger: new RecordingLogger(),
        tls: { key: otherKey, cert },
      });
      await expect(started).rejects.toBeInstanceOf(ConfigurationError);
      await expect(started).rejects.toThrow(otherKey);
      await expect(started).rejects.toThrow(cert);
    });
  });

  describe("on a Unix socket", () => {
    /** `contract.serve` on a socket instead of a port. */
    const serveUnix = async (app: App, unix: string): Promise<TransportServer> => {
      const server = await contract.serve(app, { unix, logger: new RecordingLogger() });
      onTestFinished(() => server.close({ deadline: 0 }));
      return server;
    };

    testIfCapable(contract, "listensOnUnixSockets", "carries requests and WebSockets", async () => {
      const unix = join(await temporaryDirectory(), "s");
      const server = await serveUnix(
        telling((scope) => ({ ...scope.server, client: scope.client ?? "unknown" })),
        unix,
      );
      expect(server).toMatchObject({ host: unix, port: 0, url: `unix:${unix}` });
      const expected = { host: unix, client: "unknown" };
      expect(await told(get({ socketPath: unix, agent: false }))).toEqual(expected);
      expect(await toldByWebSocket(`ws+unix:${unix}:/`)).toEqual(expected);
      await server.close();
      await expect(lstat(unix)).rejects.toMatchObject({ code: "ENOENT" });
    });

    testIfCapable(contract, "listensOnUnixSockets", "replaces the file of a server that has died", async () => {
      const directory = await temporaryDirectory();
      const unix = join(directory, "s");
      const dead = createServer();
      dead.listen(join(directory, "dead"));
      await once(dead, "listening");
      // Closing removes the name it listens on, and not this one.
      await link(join(directory, "dead"), unix);
      dead.close();
      await once(dead, "close");
      expect((await lstat(unix)).isSocket()).toBe(true);
      await serveUnix(
        telling(() => "alive"),
        unix,
      );
      expect(await told(get({ socketPath: unix, agent: false }))).toBe("alive");
    });

    testIfCapable(contract, "listensOnUnixSockets", "leaves a server that lives its file: EADDRINUSE", async () => {
      const unix = join(await temporaryDirectory(), "s");
      await serveUnix(
        telling(() => "first"),
        unix,
      );
      const refused = {
        code: "EADDRINUSE",
        message: `cannot listen on ${unix} (EADDRINUSE)`,
      };
      await expect(contract.serve(() => {}, { unix, logger: new RecordingLogger() })).rejects.toMatchObject(refused);
      expect(await told(get({ socketPath: unix, agent: false }))).toBe("first");
    });

    testIfCapable(
      contract,
      "listensOnUnixSockets",
      "leaves a server that is too busy to answer its file: EADDRINUSE",
      async (context) => {
        context.skip(process.platform !== "linux", "only Linux tells a full queue from a server that has died");
        const unix = join(await temporaryDirectory(), "s");
        await fullServer(unix);
        const started = contract.serve(() => {}, { unix, logger: new RecordingLogger() });
        await expect(started).rejects.toMatchObject({
          code: "EADDRINUSE",
          message: `cannot listen on ${unix} (EADDRINUSE)`,
        });
        expect((await lstat(unix)).isSocket()).toBe(true);
      },
    );

    testIfCapable(contract, "listensOnUnixSockets", "leaves a file that is no socket as it is", async () => {
      const unix = join(await temporaryDirectory(), "s");
      await writeFile(unix, "precious");
      const started = contract.serve(() => {}, { unix, logger: new RecordingLogger() });
      await expect(started).rejects.toMatchObject({ code: "EADDRINUSE" });
      expect(await readFile(unix, "utf8")).toBe("precious");
    });
  });

  describe("on an address", () => {
    const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === "::1"));

    test("of IPv6 where there is one", async (context) => {
      context.skip(!hasIpv6, "this machine has no ::1");
      const server = await serve(
        telling(({ client }) => client?.host),
        { host: "::1" },
      );
      expect(server.url).toBe(`http://[::1]:${server.port}`);
      expect(await told(get(server.url, { agent: false }))).toBe("::1");
      expect(await toldByWebSocket(server.url)).toBe("::1");
    });

    testIfCapable(contract, "saysWhyItCannotListen", "that is not this machine's: EADDRNOTAVAIL", async () => {
      const started = contract.serve(() => {}, { port: 0, logger: new RecordingLogger(), host: "192.0.2.1" });
      await expect(started).rejects.toMatchObject({
        code: "EADDRNOTAVAIL",
        message: "cannot listen on 192.0.2.1:0 (EADDRNOTAVAIL)",
      });
    });

    testIfCapable(contract, "sharesPorts", "that others share, if all of them ask for it", async () => {
      const { port } = await start(contract, { http: answering('"shared"') }, { sharedPort: true });
      await start(contract, { http: answering('"shared"') }, { port, sharedPort: true });
      expect(await told(get(`http://127.0.0.1:${port}`, { agent: false }))).toBe("shared");
      const alone = contract.serve(() => {}, { port, logger: new RecordingLogger() });
      await expect(alone).rejects.toMatchObject({ code: "EADDRINUSE" });
    });
  });
}
