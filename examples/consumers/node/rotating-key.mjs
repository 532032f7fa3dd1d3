// A key from Key Vault that follows its rotation. Needs @azure/keyvault-secrets only.
// Use one for the life of the app: const key = await RotatingKey.open(vault, "my-ai-key");
export class RotatingKey {
  #vault; #name; #every; #secret; #reading; #pause = 1_000; #notBefore = 0;

  /** Reads the secret, then again every `every` milliseconds and after a 401. Throws if the first read fails. */
  static async open(vault, name, every = 900_000) {
    const key = new RotatingKey();
    key.#vault = vault; key.#name = name; key.#every = every;
    key.#secret = await vault.getSecret(name); // without a version: the latest one
    key.#schedule(every);
    return key;
  }

  get value() { return this.#secret.value; }
  get version() { return this.#secret.properties.version; }

  /** Returns the key to use after a 401. Of many callers one reads, and not too often. */
  async replace(rejected) {
    while (this.value === rejected && (this.#reading || Date.now() >= this.#notBefore)) {
      await (this.#reading ?? this.#renew(rejected));
    }
    return this.value;
  }

  async #renew(rejected) {
    this.#notBefore = Infinity;
    await this.#read();
    this.#pause = this.value === rejected ? Math.min(2 * this.#pause, 30_000) : 1_000;
    this.#notBefore = Date.now() + this.#pause;
  }

  /** For clients that accept a fetch function: sends the key in use, and repeats a request once after a 401. */
  fetch = async (url, init = {}) => {
    const used = this.value;
    const response = await fetch(url, this.#sign(init, used));
    if (response.status !== 401 || init.body instanceof ReadableStream) return response; // a stream is sent once
    const fresh = await this.replace(used);
    if (fresh === used) return response;
    await response.body?.cancel();
    return fetch(url, this.#sign(init, fresh));
  };

  #sign(init, value) {
    const headers = new Headers(init.headers);
    headers.delete("authorization"); // openai's own, with the placeholder
    headers.set("api-key", value);
    return { ...init, headers };
  }

  /** Reads the latest version, once at a time. If that fails, keeps the key and returns false. */
  #read() {
    const options = { requestOptions: { timeout: 10_000 } };
    this.#reading ??= this.#vault.getSecret(this.#name, options)
      .then((latest) => {
        if (latest.properties.version !== this.version) console.info(`${this.#name}: version ${latest.properties.version} is in use`);
        this.#secret = latest;
        return true;
      }, (error) => { console.warn(`${this.#name} cannot be read: ${error.name}`); return false; })
      .finally(() => { this.#reading = undefined; });
    return this.#reading;
  }

  #schedule(wait) {
    const follow = async () => this.#schedule((await this.#read()) ? this.#every : Math.min(this.#every, 30_000));
    setTimeout(follow, wait * (0.5 + Math.random() / 2)).unref(); // instances do not read all at once
  }
}
