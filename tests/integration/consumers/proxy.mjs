// Makes fetch use HTTPS_PROXY: Node does so itself from version 24, with NODE_USE_ENV_PROXY=1.
import { EnvHttpProxyAgent, setGlobalDispatcher } from "undici";

setGlobalDispatcher(new EnvHttpProxyAgent());
