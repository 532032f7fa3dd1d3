// Reads a list of queries from stdin, and prints what the Kusto language service finds wrong with each.
require('@kusto/language-service-next/bridge.min.js');
require('@kusto/language-service-next/Kusto.Language.Bridge.min.js');
const { readFileSync } = require('fs');
const { KustoCode, GlobalState, Symbols } = globalThis.Kusto.Language;

const tables = Object.entries(require('./tables.json')).map(
  ([name, columns]) => new Symbols.TableSymbol.$ctor7(name, columns, ''),
);
const workspace = new Symbols.DatabaseSymbol.$ctor3('workspace', null, tables, false);
const globals = GlobalState.Default.WithDatabase(workspace);

function faults(query) {
  const found = KustoCode.ParseAndAnalyze(query, globals).GetDiagnostics();
  return Array.from({ length: found.Count }, (_, i) => found.getItem(i))
    .filter((one) => one.Severity !== 'Suggestion')
    .map((one) => `${one.Code} ${one.Message} at ${query.slice(one.Start, one.Start + 20)}`);
}

console.log(JSON.stringify(JSON.parse(readFileSync(0, 'utf8')).map(faults)));
