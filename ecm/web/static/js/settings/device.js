// What somebody might call the device they sit at, so that they know its passkey again: "Chrome on Linux".

const BROWSERS = [["Edg/", "Edge"], ["Firefox/", "Firefox"], ["Chrome/", "Chrome"], ["Safari/", "Safari"]];
const MACHINES = [["iPhone", "iPhone"], ["iPad", "iPad"], ["Android", "Android"], ["Windows", "Windows"], ["Mac OS", "Mac"], ["Linux", "Linux"]];

export function deviceName(agent = navigator.userAgent) {
  const known = (table) => table.find(([sign]) => agent?.includes(sign))?.[1];
  const [browser, machine] = [known(BROWSERS) ?? "A browser", known(MACHINES)];
  return machine ? `${browser} on ${machine}` : browser;
}
