import { HandshakeLoad } from "./handshake-load.js";

/** Connects and shakes hands a second time, each time with a token that the server has seen once, moments before. */
export class ReconnectLoad extends HandshakeLoad {
  override async prepare(): Promise<void> {
    await super.prepare();
    await this.run();
    await super.finish();
  }
}
