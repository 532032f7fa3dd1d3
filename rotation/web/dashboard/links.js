// Links to the Azure portal, and buttons that copy.

// The portal of each cloud, by the suffix of its vaults.
const PORTALS = { "vault.azure.net": "portal.azure.com", "vault.usgovcloudapi.net": "portal.azure.us", "vault.azure.cn": "portal.azure.cn" };

/** Return the portal's address, by the URL of any vault. */
function portalOf(vault) {
  const suffix = Object.keys(PORTALS).find((end) => vault?.endsWith(`.${end}`));
  return `https://${PORTALS[suffix] ?? "portal.azure.com"}/#@/`;
}

const portalLink = (address, text) => h("a", { href: address, target: "_blank", rel: "noreferrer" }, text, h("span", { class: "unseen" }, " (opens the portal in a new tab)"));

function portalLinks({ vault, secret, account }, anyVault) {
  const portal = portalOf(vault ?? anyVault);
  return [
    account ? portalLink(`${portal}resource${account}/overview`, "Account in the portal") : null,
    secret ? portalLink(`${portal}asset/Microsoft_Azure_KeyVault/Secret/${vault}/secrets/${secret}`, "Secret in the portal") : null,
  ];
}

/** A button that copies a text; what says what the text is. */
function copyButton(text, what, label = "Copy") {
  const button = h("button", { type: "button", class: "quiet copy", "aria-label": `Copy ${what}`, title: text,
    click: async () => {
      const copied = await navigator.clipboard?.writeText(text).then(() => true, () => false);
      button.textContent = copied ? "Copied" : "Not copied";
      announce(copied ? `Copied ${what}` : `Could not copy ${what}`);
      setTimeout(() => { button.textContent = label; }, 2000);
    } }, label);
  return button;
}

/** A command in one line, with a button that copies it. */
const commandLine = (text, what = "the command") => h("p", { class: "command" }, h("code", {}, text), copyButton(text, what));

/** Quote a word for a POSIX shell, if it needs that. */
const quoted = (word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);
