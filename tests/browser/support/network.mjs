// What a page costs over the wire, as the browser's own network log counts it.

/**
 * Opens `url` with an empty cache and returns the requests of the page and its
 * parts: [{ url, type, bytes }], headers included. Event streams, which never
 * end, count what has come by then.
 */
export async function weigh(page, url) {
  const session = await page.context().newCDPSession(page);
  const requests = new Map();
  session.on('Network.requestWillBeSent', ({ requestId, request, type }) => {
    requests.set(requestId, { url: request.url, type, bytes: 0 });
  });
  session.on('Network.dataReceived', ({ requestId, encodedDataLength }) => {
    const entry = requests.get(requestId);
    if (entry) entry.bytes += encodedDataLength;
  });
  session.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    const entry = requests.get(requestId);
    if (entry) entry.bytes = encodedDataLength;
  });
  await session.send('Network.enable');
  await session.send('Network.setCacheDisabled', { cacheDisabled: true });
  const response = await page.goto(url, { waitUntil: 'load' });
  // Modules may still ask for parts of their own.
  await page.waitForTimeout(300);
  await session.detach();
  return { status: response.status(), requests: [...requests.values()].filter((entry) => /^https?:/.test(entry.url)) };
}
