// The first run: nothing is enrolled yet, so the page shows how to enrol each account.

const MOST_ACCOUNTS = 50;

const enrolCommand = ({ account }) => `keyrotation enrol ${quoted(account)} --in-use key1 --dry-run`;

/** How to enrol an account from a terminal. The service itself may not write a secret's first tags. */
function enrolling(found) {
  return h("div", { class: "enrolling" },
    commandLine(enrolCommand(found), `the command that enrols ${found.accountName}`),
    h("p", { class: "fine" }, "Replace ", h("code", {}, "key1"), " with ", h("code", {}, "key2"), " if your applications use Key2. ",
      "Read the preview, then run the command again without ", h("code", {}, "--dry-run"), "."));
}

function showFirst(fleet) {
  const accounts = fleet.summary.secrets ? [] : (fleet.unmanaged.accounts ?? []);
  $("first").hidden = Boolean(fleet.summary.secrets);
  refill($("first"), [fleet.summary.secrets === 0, accounts], () => firstRun(accounts));
}

function firstRun(accounts) {
  const shown = accounts.slice(0, MOST_ACCOUNTS);
  return [
    h("h2", { id: "first-title" }, "Enrol your first account"),
    h("p", {}, "Enrolling lets the service manage both keys of the account. ",
      "An application that uses a key outside the vault loses it at the first rotation."),
    accounts.length ? null : h("p", { class: "fine" }, "The service sees no account yet. Run this to list the accounts that you can see:"),
    accounts.length ? null : commandLine("keyrotation discover"),
    h("ul", { class: "accounts" }, shown.map((one) => h("li", {}, h("h3", {}, one.accountName, h("small", {}, ` ${one.kind}`)),
      h("p", { class: "fine" }, sentence(one.reason)), enrolling(one)))),
    accounts.length > shown.length ? commandLine("keyrotation discover") : null,
  ];
}
