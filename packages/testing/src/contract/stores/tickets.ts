import type { TicketRecord } from "@sluice/core";
import { expect, test } from "vitest";
import { createTicket, createUser, noIds, unique } from "./fixtures.js";
import type { StoresUnderTest } from "./stores-under-test.js";

export function ticketsContract(stores: () => StoresUnderTest): void {
  test("gives a ticket with its user, once", async () => {
    const { tickets } = stores();
    const user = await createUser(stores());
    const ticket = await createTicket(stores(), { userId: user.id });
    expect(await tickets.consume(ticket.digest)).toEqual({ ticket, user });
    expect(await tickets.consume(ticket.digest)).toBeUndefined();
  });

  test("gives a ticket to one of fifty who ask at once", async () => {
    const { tickets } = stores();
    const [ticket, bystander] = [await createTicket(stores()), await createTicket(stores())];
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => tickets.consume(ticket.digest)));
    expect(outcomes.filter((outcome) => outcome !== undefined).map((outcome) => outcome.ticket)).toEqual([ticket]);
    expect((await tickets.consume(bystander.digest))?.ticket).toEqual(bystander);
  });

  test("keeps what is known of a token, and what is not", async () => {
    const { tickets } = stores();
    const grants: TicketRecord["grant"][] = [
      { tokenId: unique("jti"), expiresAt: undefined },
      { tokenId: unique("jti"), expiresAt: 1_700_000_000_123, issuedAt: 1_600_000_000_001 },
      { tokenId: unique("jti"), expiresAt: 1, sessionId: unique("sid"), scopes: [] },
      { tokenId: "a\0b", expiresAt: 1, scopes: ["chat:write", "Ωmega", 'quo"te', "a\0b"] },
    ];
    for (const grant of grants) {
      const { digest } = await createTicket(stores(), { grant });
      expect((await tickets.consume(digest))?.ticket.grant).toEqual(grant);
    }
    for (const origin of [undefined, "", "null", "https://app.example.com:8443", "\u00e9"]) {
      const { digest } = await createTicket(stores(), { origin });
      expect((await tickets.consume(digest))?.ticket.origin).toBe(origin);
    }
  });

  test("leaves expiry to the caller", async () => {
    const { tickets } = stores();
    for (const expiresAt of [Date.now() - 1_000, Date.UTC(9999, 11, 31, 23, 59, 59, 999)]) {
      const { digest } = await createTicket(stores(), { expiresAt });
      await createTicket(stores());
      expect((await tickets.consume(digest))?.ticket.expiresAt).toBe(expiresAt);
    }
  });

  test("shows the user as they are now", async () => {
    const { tickets, users } = stores();
    const ticket = await createTicket(stores());
    await users.setPasswordHash(ticket.userId, "changed");
    expect((await tickets.consume(ticket.digest))?.user.passwordHash).toBe("changed");
  });

  test("refuses a digest that is there already, and keeps the first", async () => {
    const { tickets } = stores();
    const ticket = await createTicket(stores());
    const thief = await createUser(stores());
    await expect(tickets.create({ ...ticket, userId: thief.id })).rejects.toThrow();
    expect((await tickets.consume(ticket.digest))?.user.id).toBe(ticket.userId);
  });

  test.each(noIds)("refuses a ticket for an id that is $what, and keeps none", async ({ id: userId }) => {
    const { tickets } = stores();
    const digest = unique("digest");
    await expect(createTicket(stores(), { digest, userId })).rejects.toThrow(TypeError);
    expect(await tickets.consume(digest)).toBeUndefined();
  });

  test("refuses NUL characters with a TypeError that names the field", async () => {
    const { tickets } = stores();
    const userId = (await createUser(stores())).id;
    for (const field of ["digest", "origin", "purpose"] as const) {
      const digest = unique("digest");
      const bad = createTicket(stores(), { digest, userId, [field]: "a\0b" });
      await expect(bad).rejects.toThrow(TypeError);
      await expect(bad).rejects.toThrow(new RegExp(`${field}.*NUL`));
      expect(await tickets.consume(digest)).toBeUndefined();
    }
  });

  test("gives nothing for a digest that was never made", async () => {
    for (const digest of [unique("digest"), "", "nul\0", "\ud800", "%", "' or true; --", "x".repeat(100_000)]) {
      expect(await stores().tickets.consume(digest)).toBeUndefined();
    }
  });
}
