import { defineConfig } from "drizzle-kit";

/** `npm run generate` writes the next migration: the difference between the schema and the last one. */
export default defineConfig({
  dialect: "postgresql",
  schema: "./src/schema.ts",
  out: "./drizzle",
});
