/**
 * A process for tests to kill: opens the directory it is given and appends messages, several at a time, for as long as
 * it lives. Prints the id of each message when, and only when, the store has acknowledged it.
 */
import { openDatabase } from "../dist/index.js";

const [directory] = process.argv.slice(2);
const database = await openDatabase({ directory });
await database.migrate();
const username = "writer";
const sender =
  (await database.users.findByUsername(username)) ??
  (await database.users.create({ username, name: "Writer", passwordHash: "x" }));

async function appendForEver() {
  for (;;) {
    const { id } = await database.messages.append({ room: "room", senderId: sender.id, text: "x".repeat(300) });
    process.stdout.write(`${id}\n`);
    // Gives the signal its chance between two statements too.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

await Promise.all([appendForEver(), appendForEver(), appendForEver()]);
