// Which edition of the app this is: the version that stands in its own address.

const found = /\/static\/([^/]+)\//.exec(import.meta.url);

export const APP_VERSION = found ? found[1] : "unknown";
