import { fileURLToPath } from "node:url";

/** Where the SQL files are, which drizzle-kit wrote and the package ships: beside `src` and `dist`. */
export const migrationsFolder: string = fileURLToPath(new URL("../drizzle", import.meta.url));
