// Sends something to the portal, again where the network broke. A code lives 30 seconds, so the tries are
// close together and end in time.
const PAUSES = [300, 1000, 2000, 4000];

export class NotSent extends Error {
  constructor(status) {
    super(`not sent (${status})`);
    this.status = status;
  }
}

export async function post(path, csrf, body) {
  for (let attempt = 0; ; attempt += 1) {
    let status = 0;
    try {
      const response = await fetch(path, {
        method: "POST",
        headers: { "content-type": "application/json", "x-csrf-token": csrf, accept: "application/json" },
        body: JSON.stringify(body),
        credentials: "same-origin",
        keepalive: true,
      });
      if (response.ok) return response.status === 204 ? null : await response.json();
      status = response.status;
    } catch {
      // The network broke: try again.
    }
    if ((status >= 400 && status < 500) || attempt >= PAUSES.length) throw new NotSent(status);
    await new Promise((resolve) => setTimeout(resolve, PAUSES[attempt]));
  }
}
