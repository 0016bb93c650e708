// The chat on a salon's page, first half: talking to the gateway. What is seen stands in widget.js; both are served
// joined, inside one function that defines SETUP = {styles, texts: {ru, en}}.
// Of the page around us we read its language, path and utm labels, nothing else.
// In the browser stay, from the first message on: the visitor's token (24 h) and messages not yet accepted. No cookies.

const script = document.currentScript;
const here = new URL(".", script.src); // https://HOST/site/CONNECTION/
const connection = here.pathname.split("/").slice(-2)[0];
const hook = new URL(`../../webhooks/site/${connection}`, here);
const language = (script.lang || document.documentElement.lang).startsWith("en") ? "en" : "ru";
const texts = SETUP.texts[language];

const ANSWER_MS = 15000;
const POLL_S = 25;
const DAY_MS = 24 * 3600 * 1000;
const MAX_CHARACTERS = 4000;

// --- what the browser remembers; where it forbids that, only this page does
const KEY = `leadgate:${connection}:`;
const storage = (act) => { try { return act(localStorage); } catch { return null; } };
const read = (name) => storage((kept) => JSON.parse(kept.getItem(KEY + name)));
const write = (name, value) => storage((kept) => kept.setItem(KEY + name, JSON.stringify(value)));
const erase = (name) => storage((kept) => kept.removeItem(KEY + name));
const unsentNames = () =>
  storage((kept) => Object.keys(kept).filter((key) => key.startsWith(`${KEY}unsent:`)).map((key) => key.slice(KEY.length))) ?? [];

// --- talking to the gateway
let visit = null; // {visitor, token, renewAt}
let talking = false; // the visitor has written, now or within the last day
let last = 0; // number of the newest message seen
const wakers = new Set();

const wake = () => wakers.forEach((resume) => resume());
const pause = (ms) => new Promise((resume) => {
  const done = () => { wakers.delete(done); clearTimeout(timer); resume(); };
  const timer = setTimeout(done, ms);
  wakers.add(done);
});
const backoff = (tries, answer) =>
  Math.max(Math.min(1000 * 2 ** tries, 30000) * (0.5 + Math.random() / 2), 1000 * (answer?.waitS || 0));

// Status and JSON of the answer; null when there was none: offline, dropped, timed out.
async function call(method, url, { body, token, limit = ANSWER_MS } = {}) {
  const stop = new AbortController();
  const timer = setTimeout(() => stop.abort(), limit);
  const headers = {};
  if (body) headers["Content-Type"] = "application/json";
  if (token) headers.Authorization = `Bearer ${token}`;
  try {
    const options = { method, headers, body: body && JSON.stringify(typeof body === "function" ? body() : body), signal: stop.signal, credentials: "omit", cache: "no-store" };
    const answer = await fetch(url, options);
    const data = await answer.json().catch(() => null);
    return { ok: answer.ok && data !== null, status: answer.status, data, waitS: Number(answer.headers.get("Retry-After")) };
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
  }
}

async function openVisit() {
  const kept = read("visit");
  const answer = await call("POST", new URL("visits", here), { body: { token: visit?.token ?? kept?.token ?? null, language } });
  if (!answer?.ok) return answer;
  if ((talking || kept) && !answer.data.renewed) forget();
  talking = talking || (answer.data.renewed && Boolean(kept));
  visit = { visitor: answer.data.visitor, token: answer.data.token, renewAt: Date.now() + 1000 * answer.data.renew_after_s };
  if (talking) write("visit", { token: visit.token });
  return answer;
}

async function asVisitor(method, url, options) {
  if (Date.now() > visit.renewAt) await openVisit();
  const answer = await call(method, url, { ...options, token: visit.token });
  if (answer?.status !== 401) return answer;
  const renewed = await openVisit();
  return renewed?.ok ? call(method, url, { ...options, token: visit.token }) : renewed;
}

// A day has passed: another conversation, and what was not sent belongs to the old one.
function forget() {
  talking = false;
  last = 0;
  erase("visit");
  unsentNames().forEach(erase);
}

// --- sending: one at a time, in order, always with the id of the first try, so that a repeat never doubles
const queue = [];
let isSending = false;

function say(text, isButton) {
  const body = { id: newId(), text, button: isButton, page: location.pathname, lang: language, utm: campaign() };
  const item = { body, at: Date.now() };
  write(`unsent:${body.id}`, item);
  drawOwn(item);
  queue.push(item);
  wake();
  sendQueue();
}

async function sendQueue() {
  if (isSending) return;
  isSending = true;
  for (let tries = 0; queue.length;) {
    const item = queue[0];
    mark(item, "sending");
    const answer = await asVisitor("POST", hook, { body: () => ({ ...item.body, visitor: visit.visitor }) });
    if (!queue.includes(item)) continue; // its echo came first
    if (answer?.ok) {
      tries = 0;
      accepted(item);
    } else if (answer && answer.status < 500 && ![401, 408, 429].includes(answer.status)) {
      dequeue(item); // would be refused again; the person decides
      mark(item, "failed");
    } else {
      mark(item, "failed");
      trouble(true);
      await pause(backoff(tries++, answer));
    }
  }
  isSending = false;
}

function dequeue(item) {
  if (queue.includes(item)) queue.splice(queue.indexOf(item), 1);
  erase(`unsent:${item.body.id}`);
}

function accepted(item) {
  dequeue(item);
  mark(item, "sent");
  trouble(false);
  talking = true;
  write("visit", { token: visit.token });
  listen();
}

function again(item) {
  if (!queue.includes(item)) queue.push(item);
  wake();
  sendQueue();
}

// --- listening: one long poll at a time, only for somebody who has written and only while the page is seen
let isListening = false;

async function listen() {
  if (isListening) return;
  isListening = true;
  for (let tries = 0; talking && !document.hidden;) {
    const url = new URL(`messages?after=${last}&wait=${POLL_S}`, here);
    const answer = await asVisitor("GET", url, { limit: 1000 * POLL_S + ANSWER_MS });
    if (answer?.ok) {
      tries = 0;
      trouble(false);
      answer.data.messages.forEach(receive);
    } else {
      if (answer && [403, 404].includes(answer.status)) break;
      trouble(true);
      await pause(backoff(tries++, answer));
    }
  }
  isListening = false;
}

function receive(message) {
  if (message.number <= last) return;
  last = message.number;
  if (message.outgoing) return drawAnswer(message);
  const isNew = (item) => !item.number;
  const mine = own.find((item) => isNew(item) && item.body.text.trim() === message.text.trim())
    ?? own.find((item) => isNew(item) && item.state === "sent"); // the house may keep it in other words
  if (!mine) return drawOwn({ body: { text: message.text }, at: Date.parse(message.at), number: message.number, state: "sent" });
  mine.number = message.number;
  if (mine.state === "sent") return;
  log.insertBefore(mine.row, firstUnsent());
  dequeue(mine);
  mark(mine, "sent");
}

const newId = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

// Where the visitor came from, for the whole visit of the site (sessionStorage: gone with the tab).
function campaign() {
  const found = {};
  for (const [name, value] of new URLSearchParams(location.search)) {
    if (/^utm_(source|medium|campaign|content|term)$/.test(name)) found[name.slice(4)] = value.slice(0, 200);
  }
  try {
    if (Object.keys(found).length) sessionStorage.setItem(`${KEY}utm`, JSON.stringify(found));
    return JSON.parse(sessionStorage.getItem(`${KEY}utm`)) ?? undefined;
  } catch {
    return found;
  }
}
