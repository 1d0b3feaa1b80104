// Loaded before the first TypeScript file: an old Node would stop there with a riddle.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 19)) {
  console.error(
    `claude-relay needs Node 22.19 or newer; this is ${process.version}.\n` +
      "`npm ci` brings Node 26 along for Linux, macOS and Windows on common processors, and `npm start` uses it.\n" +
      "If you see this, no such build was installed here: run `npm ci` without --omit=optional, or install a current Node.",
  );
  process.exit(1);
}
