// Whose message events count: facebook.com and its subdomains by parsed host (a suffix test would let
// evilfacebook.com in), and the exact origin of the dialog where the operator has set another.
export function isMeta(origin, dialogOrigin) {
  if (dialogOrigin && origin === dialogOrigin) return true;
  let url;
  try {
    url = new URL(origin);
  } catch {
    return false;
  }
  return url.protocol === "https:" && (url.hostname === "facebook.com" || url.hostname.endsWith(".facebook.com"));
}

// The event as an object, or null where it is none of Embedded Signup's. Meta sends a JSON text.
export function readEvent(data) {
  let event = data;
  if (typeof data === "string") {
    try {
      event = JSON.parse(data);
    } catch {
      return null;
    }
  }
  return event !== null && typeof event === "object" && event.type === "WA_EMBEDDED_SIGNUP" ? event : null;
}
