export type { QueryResult } from "./connection.js";
export { type Database, type DatabaseLocation, openDatabase } from "./database.js";
