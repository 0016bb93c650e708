// The chat on a salon's page, second half: what is seen. Talking to the gateway stands in widget_talk.js.
// Words of people reach the page as text nodes only, never as markup; styles come in by a constructed sheet.

const isPage = script.dataset.place === "page"; // the salon's own chat page: open from the start
const ICONS = {
  chat: "M4 6.5A2.5 2.5 0 0 1 6.5 4h11A2.5 2.5 0 0 1 20 6.5v7a2.5 2.5 0 0 1-2.5 2.5H11l-4.6 4v-4A2.4 2.4 0 0 1 4 13.5zM8 8.5h8M8 11.7h5",
  down: "m5.5 9 6.5 6.5L18.5 9",
  send: "M4 11.8 20 4.5l-5.4 15.8-3.3-6.3zm7.3 2.2 4.2-4.5",
  check: "m5 12.6 4.6 4.6L19 7.6",
};

// --- drawing
const own = [];
let unread = 0;
let isTroubled = false;
let answers = null;

function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function icon(name) {
  const [svg, path] = ["svg", "path"].map((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
  for (const [key, value] of Object.entries({ class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" })) svg.setAttribute(key, value);
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

const button = (label, attributes, ...children) => el("button", { type: "button", ...(children.length ? { "aria-label": label } : {}), ...attributes }, ...(children.length ? children : [label]));

const launch = button(texts.open, { class: "launch", "aria-haspopup": "dialog" }, icon("chat"));
const count = el("span", { class: "count", "aria-hidden": "true", hidden: "" });
const fold = button(texts.close, { class: "btn btn--icon btn--plain close" }, icon("down"));
const initial = el("span", { class: "mark", "aria-hidden": "true" });
const title = el("h2", { class: "title", id: "title" });
const subtitle = el("p", { class: "small" });
const log = el("ol", { class: "log" });
const scroll = el("div", { class: "scroll", tabindex: "0", role: "log", "aria-label": texts.messages }, log);
const status = el("p", { class: "status", role: "status" });
const input = el("textarea", { class: "input", id: "text", rows: "1", enterkeyhint: "send" });
const send = el("button", { class: "btn btn--main btn--icon", type: "submit", "aria-label": texts.send }, icon("send"));
const composer = el("form", { class: "composer" }, el("label", { class: "sr", for: "text" }, texts.your_message), input, send);
const head = el("div", { class: "head" }, initial, el("div", { class: "grow" }, title, subtitle), fold);
const panel = el("dialog", { class: isPage ? "panel panel--page" : "panel", "aria-labelledby": "title", tabindex: "-1", autofocus: "" }, head, scroll, status, composer);
launch.append(count);

const firstUnsent = () => own.find((item) => item.state !== "sent")?.row ?? null;

// Plain text; addresses become links.
function paragraph(text) {
  const parts = text.split(/(https?:\/\/[^\s<>"]*[^\s<>".,;:!?)])/);
  return el("p", {}, ...parts.map((part, at) => (at % 2 ? el("a", { href: part, target: "_blank", rel: "noopener noreferrer" }, part) : part)));
}

function clock(at) {
  const time = new Date(at);
  return el("time", { datetime: time.toISOString() }, time.toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit" }));
}

function drawAnswer({ text, buttons, at }) {
  const row = el("li", { class: "msg" }, paragraph(text));
  if (at) row.append(el("div", { class: "foot" }, clock(at)));
  log.insertBefore(row, firstUnsent());
  drawButtons(buttons, row);
  if (at && !panel.open) showUnread(unread + 1);
}

function drawButtons(titles, row) {
  answers?.remove();
  answers = null;
  if (!titles.length || firstUnsent()) return;
  answers = el("li", { class: "answers" }, ...titles.map((name) => {
    const choice = button(name, { class: "btn" });
    choice.addEventListener("click", () => { say(name, true); settle(); });
    return choice;
  }));
  row.after(answers);
}

function drawOwn(item) {
  answers?.remove();
  answers = null;
  item.foot = el("div", { class: "foot" });
  item.row = el("li", { class: "msg msg--out" }, paragraph(item.body.text), item.foot);
  own.push(item);
  log.insertBefore(item.row, item.state === "sent" ? firstUnsent() : null);
  mark(item, item.state ?? "sending");
  scroll.scrollTop = 0; // the end: the column is reversed
}

function mark(item, state) {
  item.state = state;
  const word = state === "failed" ? button(texts.failed, { class: "again" }) : texts[state];
  if (state === "failed") word.addEventListener("click", () => again(item));
  item.foot.replaceChildren(clock(item.at), ...(state === "sent" ? [icon("check")] : []), word);
}

function trouble(now) {
  isTroubled = now;
  status.textContent = isTroubled ? (queue.length ? texts.offline_kept : texts.offline) : "";
}

function showUnread(number) {
  unread = number;
  count.textContent = number;
  count.hidden = !number;
  launch.setAttribute("aria-label", number ? `${texts.open}. ${texts.unread.replace("{count}", number)}` : texts.open);
}

// --- opening and closing: the whole screen of a phone (modal), a corner of a desk (not modal)
const narrow = matchMedia("(max-width: 30em)");
const wide = matchMedia("(min-width: 62em)");
const touch = matchMedia("(pointer: coarse)");

function open(byPerson) {
  launch.hidden = true;
  showUnread(0);
  if (narrow.matches) panel.showModal();
  else panel.setAttribute("open", "");
  if (byPerson) settle();
}

// On a phone not into the field: that would raise the keyboard over the answers.
function settle() {
  (touch.matches ? panel : input).focus({ preventScroll: true });
}

function close() {
  if (isPage && wide.matches) return;
  panel.close();
  launch.hidden = false;
  launch.focus();
}

function refit() {
  if (isPage && wide.matches && !panel.open) open(false);
  if (!panel.open) return;
  panel.close();
  open(false);
}

function submit(event) {
  event?.preventDefault();
  const text = input.value.trim();
  if (!text) return;
  if (text.length > MAX_CHARACTERS) {
    status.textContent = texts.too_long.replace("{limit}", MAX_CHARACTERS);
    return;
  }
  input.value = "";
  fit();
  trouble(isTroubled);
  say(text, false);
}

function fit() {
  input.style.height = "auto";
  input.style.height = `${input.scrollHeight + 2}px`;
}

function attend() {
  launch.addEventListener("click", () => open(true));
  fold.addEventListener("click", close);
  panel.addEventListener("cancel", (event) => { event.preventDefault(); close(); });
  panel.addEventListener("close", () => { if (!panel.open) launch.hidden = false; });
  panel.addEventListener("keydown", (event) => { if (event.key === "Escape" && !narrow.matches) close(); });
  composer.addEventListener("submit", submit);
  input.addEventListener("input", fit);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing && !touch.matches) submit(event);
  });
  [narrow, wide].forEach((query) => query.addEventListener("change", refit));
  window.visualViewport?.addEventListener("resize", () => panel.style.setProperty("--screen", `${visualViewport.height}px`));
  window.addEventListener("online", wake);
  document.addEventListener("visibilitychange", () => { wake(); listen(); });
}

function dress(root) {
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(SETUP.styles); // allowed under any style-src
    root.adoptedStyleSheets = [sheet];
  } catch {
    root.append(el("link", { rel: "stylesheet", href: new URL("widget.css", here) }));
  }
}

function build(salon) {
  const root = el("leadgate-chat", { lang: language }).attachShadow({ mode: "open" });
  dress(root);
  initial.textContent = salon.mark;
  title.textContent = salon.title;
  subtitle.textContent = salon.subtitle;
  input.placeholder = salon.placeholder;
  launch.setAttribute("aria-label", texts.open);
  root.append(launch, panel);
  document.body.append(root.host);
  attend();
  drawAnswer({ text: salon.greeting, buttons: talking ? [] : salon.buttons });
  restore();
  if (isPage) open(false);
  listen();
}

// What an earlier page of this visit could not send.
function restore() {
  const kept = unsentNames().map(read).filter((item) => item && Date.now() - item.at < DAY_MS).sort((a, b) => a.at - b.at);
  kept.forEach((item) => { drawOwn(item); queue.push(item); });
  sendQueue();
}

async function start() {
  if (document.querySelector("leadgate-chat")) return; // pasted twice
  for (let tries = 0; ; tries++) {
    const answer = await openVisit();
    if (answer?.ok) return build(answer.data);
    // To a page that is not in the list the browser shows no answer at all: ask in a way that tells only "somebody is there".
    const isThere = answer ? answer.status < 500 && answer.status !== 429 : await fetch(new URL("widget.css", here), { mode: "no-cors" }).then(() => true, () => false);
    if (isThere) return console.warn(`Leadgate: no chat here. ${location.origin} is not in allowed_origins of ${connection}, or the connection is gone.`);
    await pause(backoff(tries, answer));
  }
}

if (document.body) start();
else document.addEventListener("DOMContentLoaded", start);
