/** The walls of the house; ARCHITECTURE.md draws them. */
const tests = "\\.test(-d)?\\.ts$|/consumers/test-";
const contract = "^packages/core/src/((app|scope|events|errors|response-header)\\.ts|ports/)";
const adapter = "^packages/((?:transport|store|layer|tokens|passwords)-[^/]+)/src/";

// The visitor that the parser below comes with does not know `await using` yet, and would stop there.
const { Visitor } = require("@swc/core/Visitor.js");
const { visitStatement } = Visitor.prototype;
Visitor.prototype.visitStatement = function (statement) {
  if (statement.type !== "UsingDeclaration") return visitStatement.call(this, statement);
  this.visitVariableDeclarators(statement.decls);
  return statement;
};

module.exports = {
  forbidden: [
    {
      name: "core-is-pure",
      comment: "Core runs wherever ES2022 runs: it imports neither Node nor a package.",
      severity: "error",
      from: { path: "^packages/core/src/", pathNot: tests },
      to: { pathNot: "^packages/core/src/" },
    },
    {
      name: "contract-stands-alone",
      comment: "What everything imports imports nothing but itself.",
      severity: "error",
      from: { path: contract, pathNot: tests },
      to: { pathNot: [contract, "^packages/core/src/auth/user\\.ts$"] },
    },
    {
      name: "session-knows-the-contract-only",
      severity: "error",
      from: { path: "^packages/core/src/session/", pathNot: tests },
      to: { path: "^packages/core/src/", pathNot: [contract, "^packages/core/src/session/"] },
    },
    {
      name: "adapters-see-core-only",
      severity: "error",
      from: { path: adapter, pathNot: tests },
      to: { path: "^(packages|apps|bench|examples)/", pathNot: "^packages/($1|core)/" },
    },
    {
      name: "testing-sees-core-only",
      severity: "error",
      from: { path: "^packages/testing/src/", pathNot: tests },
      to: { path: "^(packages|apps|bench|examples)/", pathNot: "^packages/(testing|core)/" },
    },
    {
      name: "through-the-public-doors",
      comment: "What our adapters need, other people's adapters need: there is no side entrance.",
      severity: "error",
      from: { path: "^(packages|apps|bench|examples)/([^/]+)/" },
      to: { path: "^packages/[^/]+/src/", pathNot: ["^$1/$2/", "/src/(contract/)?index\\.ts$"] },
    },
    {
      name: "nobody-imports-the-outside",
      severity: "error",
      from: { path: "^packages/" },
      to: { path: "^(apps|bench|examples)/" },
    },
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    { name: "resolvable", severity: "error", from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    parser: "swc",
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    exclude: { path: "/(dist|drizzle)/" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["@sluice/source", "import", "node", "types", "default"],
    },
  },
};
