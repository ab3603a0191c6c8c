// Reading a tag inside the app, where the browser can. Everywhere else the phone's own camera does it.

import { h, icon } from "../dom.js";
import { tagRead } from "../tags.js";
import { t } from "../words.js";
import { button, card } from "./parts.js";

export function scan() {
  const said = h("p", { class: "quiet", role: "status" });
  return {
    title: () => t("scanTitle"),
    back: "#/",
    draw: () => [
      "BarcodeDetector" in window && card(camera(said)),
      "NDEFReader" in window && card(touching(said)),
      card(h("h2", {}, t("scanElsewhere")), h("p", {}, t("scanElsewhereHow"))),
      said,
    ],
  };
}

function camera(said) {
  const picture = h("video", { class: "camera", muted: true, playsinline: true, hidden: true, "aria-label": t("scanPicture") });
  const pressed = button([icon("tag"), h("span", {}, t("scanStart"))], { class: "button big primary" });
  pressed.addEventListener("click", async () => {
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      picture.srcObject = stream;
      picture.hidden = false;
      await picture.play();
      await look(picture, stream);
    } catch (error) {
      said.textContent = t("scanNoCamera");
    }
  });
  return [pressed, picture];
}

/** Until a tag of ours is seen, or the screen is left. */
async function look(picture, stream) {
  const detector = new BarcodeDetector({ formats: ["qr_code"] });
  try {
    while (picture.isConnected) {
      const found = await detector.detect(picture).catch(() => []);
      const ours = found.map((code) => ourTag(code.rawValue)).find(Boolean);
      if (ours) return await tagRead(ours, "qr");
      await new Promise((later) => setTimeout(later, 250));
    }
  } finally {
    for (const track of stream.getTracks()) track.stop();
  }
}

function touching(said) {
  const pressed = button([icon("tag"), h("span", {}, t("scanTouch"))], { class: "button big primary" });
  pressed.addEventListener("click", async () => {
    const patience = new AbortController();
    try {
      const reader = new NDEFReader();
      await reader.scan({ signal: patience.signal });
      said.textContent = t("scanHold");
      reader.addEventListener("reading", ({ message }) => {
        const texts = message.records.filter((record) => record.recordType === "url").map((record) => new TextDecoder().decode(record.data));
        const ours = texts.map(ourTag).find(Boolean);
        if (!ours) return (said.textContent = t("scanForeign"));
        patience.abort();
        return tagRead(ours, "nfc");
      });
    } catch (error) {
      said.textContent = t("scanNoNfc");
    }
  });
  return pressed;
}

/** The path and query of one of our tags' addresses; null for anything else that can be scanned. */
function ourTag(text) {
  try {
    const address = new URL(text, location.origin);
    return address.pathname.startsWith("/t/") ? address.pathname + address.search : null;
  } catch {
    return null;
  }
}
