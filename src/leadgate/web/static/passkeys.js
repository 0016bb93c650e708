// Asks the browser for a passkey, or to make one: fetches what to ask, and sends the answer with the form. Nothing else.
"use strict";

const toBytes = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));

const toText = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

const described = (credentials) => (credentials || []).map((one) => ({ ...one, id: toBytes(one.id) }));

const make = async (options) => {
  const asked = {
    ...options,
    challenge: toBytes(options.challenge),
    user: { ...options.user, id: toBytes(options.user.id) },
    excludeCredentials: described(options.excludeCredentials),
  };
  const made = await navigator.credentials.create({ publicKey: asked });
  return whole(made, {
    clientDataJSON: toText(made.response.clientDataJSON),
    attestationObject: toText(made.response.attestationObject),
  });
};

const show = async (options) => {
  const asked = {
    ...options,
    challenge: toBytes(options.challenge),
    allowCredentials: described(options.allowCredentials),
  };
  const shown = await navigator.credentials.get({ publicKey: asked });
  return whole(shown, {
    clientDataJSON: toText(shown.response.clientDataJSON),
    authenticatorData: toText(shown.response.authenticatorData),
    signature: toText(shown.response.signature),
  });
};

const whole = (credential, response) =>
  JSON.stringify({ id: credential.id, rawId: toText(credential.rawId), type: credential.type, response });

const answer = async (form) => {
  const asking = { method: "POST", body: new URLSearchParams(new FormData(form)), headers: { accept: "application/json" } };
  const told = await fetch(`${form.getAttribute("action")}/ask`, asking);
  if (!told.ok) throw new Error("not asked");
  const { ticket, options } = await told.json();
  const work = form.dataset.passkey === "create" ? make : show;
  form.elements.answer.value = await work(JSON.parse(options));
  form.elements.ticket.value = ticket;
  form.submit();
};

if (window.PublicKeyCredential) {
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    const failed = form.querySelector(".error");
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      failed.hidden = true;
      answer(form).catch(() => {
        failed.hidden = false;
      });
    });
  }
}
