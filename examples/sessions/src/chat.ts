import { JsonWebsocketConsumer, type SessionScope } from "@sluice/core";

type Events = { "chat.message": { from: string; text: string } };

export class Chat extends JsonWebsocketConsumer<SessionScope, Events> {
  static readonly handlers = ["chat.message"] as const;
  override readonly groups = ["chat"];

  override async connect() {
    if (!this.scope.user.isAuthenticated) return this.close();
    await this.accept();
    await this.sendJson({ hello: this.scope.user.username });
  }

  override async receiveJson(text: unknown) {
    const from = this.scope.user.username;
    await this.channelLayer.groupSend("chat", { type: "chat.message", from, text: String(text) });
  }

  chatMessage({ from, text }: Events["chat.message"]) {
    return this.sendJson({ from, text });
  }
}
