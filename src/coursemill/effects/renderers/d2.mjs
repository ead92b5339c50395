// Draws d2 diagrams: a JSON list of sources on stdin, the course's folder as argument, a line of JSON per diagram.
// With a second argument, `compile`, it only looks for errors.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

// Only the package's ES module works in Node: its CommonJS file is taken for one, too ("type": "module").
const module = `${process.argv[2]}/node_modules/@terrastruct/d2/dist/node-esm/index.js`;
const { D2 } = await import(pathToFileURL(module));
const d2 = new D2();
// `scale` gives the picture a size of its own; the salt keeps ids the same from one machine to the next.
const options = { pad: 16, salt: "diagram", noXMLTag: true, scale: 1 };

for (const source of JSON.parse(readFileSync(0, "utf8"))) {
  let made;
  try {
    const compiled = await d2.compile(source, { layout: "dagre", ...options });
    const draw = () => d2.render(compiled.diagram, { ...compiled.renderOptions, ...options });
    made = process.argv[3] === "compile" ? {} : { svg: await draw() };
  } catch (error) {
    made = { error: String(error.message ?? error) };
  }
  process.stdout.write(JSON.stringify(made) + "\n");
}
process.exit(0); // the compiler's worker thread never ends
