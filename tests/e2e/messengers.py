"""Every messenger as a conversation needs it: its double, a connection to it, and what it posts when a client writes."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from leadgate.testing.avito_server import AvitoServer
from leadgate.testing.instagram_server import InstagramServer
from leadgate.testing.max_server import MaxServer
from leadgate.testing.telegram_server import TelegramServer
from leadgate.testing.vendor_server import VendorServer
from leadgate.testing.vk_server import VkServer
from leadgate.testing.whatsapp_server import WhatsAppServer

Posted = tuple[bytes, dict[str, str], dict[str, str]]
"""Body, headers and query of a webhook."""

APP_SECRET = "demo-app-secret"


class Messenger(ABC):
    """One messenger.

    Attributes:
        chat_id: where the client sees our answers.
        sender_name: as the messenger shows the client, or None when it does not.
        knows_phone: the messenger proves the phone with every message, so the bot does not ask for it.
    """

    kind: ClassVar[str]
    title: ClassVar[str]
    chat_id: ClassVar[str]
    knows_phone: ClassVar[bool] = False

    def __init__(self) -> None:
        """A fresh double."""
        self.server = self.make_server()

    @abstractmethod
    def make_server(self) -> VendorServer:
        """The vendor, not listening yet."""

    @abstractmethod
    def secrets(self) -> Mapping[str, str]:
        """Of the connection, as the salon holds them."""

    def settings(self) -> Mapping[str, str]:
        """Of the connection besides the vendor's address."""
        return {}

    @abstractmethod
    def posted(self, text: str, number: int, webhook_secret: str) -> Posted:
        """What the vendor posts when the client writes a text; the same number is the same message."""


class Telegram(Messenger):
    kind, title, chat_id = "telegram", "Telegram", "5900000301"

    def make_server(self) -> VendorServer:
        return TelegramServer()

    def secrets(self) -> Mapping[str, str]:
        return {"bot_token": "7000000001:DEMO-token"}

    def posted(self, text: str, number: int, webhook_secret: str) -> Posted:
        person = {"id": int(self.chat_id), "first_name": "Алсу"}
        message = {
            "message_id": number,
            "from": {**person, "is_bot": False},
            "chat": {**person, "type": "private"},
            "date": int(time.time()),
            "text": text,
        }
        body = {"update_id": 700_000 + number, "message": message}
        return _json(body), {"X-Telegram-Bot-Api-Secret-Token": webhook_secret}, {}


class WhatsApp(Messenger):
    kind, title, chat_id, knows_phone = "whatsapp", "WhatsApp", "79000000302", True

    def make_server(self) -> VendorServer:
        return WhatsAppServer()

    def secrets(self) -> Mapping[str, str]:
        return {"access_token": "EAADEMOtoken0001", "app_secret": APP_SECRET, "verify_token": "demo-verify-token"}

    def settings(self) -> Mapping[str, str]:
        return {"phone_number_ids": "200000000000001", "waba_id": "100000000000001"}

    def posted(self, text: str, number: int, webhook_secret: str) -> Posted:
        message = {
            "from": self.chat_id,
            "from_user_id": "RU.9000000000000302",
            "id": f"wamid.DEMO{number:08d}",
            "timestamp": str(int(time.time())),
            "type": "text",
            "text": {"body": text},
        }
        contact = {"profile": {"name": "Алсу"}, "wa_id": self.chat_id, "user_id": "RU.9000000000000302"}
        return self._signed_value({"contacts": [contact], "messages": [message]})

    def status(self, word: str, callback_data: str) -> Posted:
        """The webhook that tells what became of the message which bore this."""
        status = {
            "id": "wamid.DEMOstatus",
            "status": word,
            "timestamp": str(int(time.time())),
            "recipient_id": self.chat_id,
            "recipient_user_id": "RU.9000000000000302",
            "biz_opaque_callback_data": callback_data,
        }
        return self._signed_value({"statuses": [status]})

    def _signed_value(self, content: Mapping[str, object]) -> Posted:
        metadata = {"display_phone_number": "79000000001", "phone_number_id": "200000000000001"}
        value = {"messaging_product": "whatsapp", "metadata": metadata, **content}
        entry = {"id": "100000000000001", "changes": [{"field": "messages", "value": value}]}
        return _signed({"object": "whatsapp_business_account", "entry": [entry]})


class Instagram(Messenger):
    kind, title, chat_id = "instagram", "Instagram", "900000000000303"

    def make_server(self) -> VendorServer:
        return InstagramServer()

    def secrets(self) -> Mapping[str, str]:
        return {"access_token": "EAADEMOpage0001", "app_secret": APP_SECRET, "verify_token": "demo-verify-token"}

    def settings(self) -> Mapping[str, str]:
        return {"account_ids": "17841400000000001"}

    def posted(self, text: str, number: int, webhook_secret: str) -> Posted:
        now_ms = int(time.time() * 1000)
        messaging = {
            "sender": {"id": self.chat_id},
            "recipient": {"id": "17841400000000001"},
            "timestamp": now_ms,
            "message": {"mid": f"mid.DEMO{number:08d}", "text": text},
        }
        entry = {"time": now_ms, "id": "17841400000000001", "messaging": [messaging]}
        return _signed({"object": "instagram", "entry": [entry]})


class Vk(Messenger):
    kind, title, chat_id = "vk", "ВКонтакте", "700000304"

    def make_server(self) -> VendorServer:
        return VkServer()

    def secrets(self) -> Mapping[str, str]:
        return {"access_token": "vk1.a.demo-limon-key", "confirmation": "a1b2c3d4"}

    def settings(self) -> Mapping[str, str]:
        return {"group_id": "210000001"}

    def posted(self, text: str, number: int, webhook_secret: str) -> Posted:
        message = {
            "date": int(time.time()),
            "from_id": int(self.chat_id),
            "id": number,
            "out": 0,
            "text": text,
            "peer_id": int(self.chat_id),
            "conversation_message_id": number,
        }
        body = {
            "group_id": 210000001,
            "type": "message_new",
            "event_id": f"{number:040d}",
            "v": "5.199",
            "object": {"message": message, "client_info": {}},
            "secret": webhook_secret,
        }
        return _json(body), {}, {}


class Max(Messenger):
    kind, title, chat_id = "max", "MAX", "910000305"

    def make_server(self) -> VendorServer:
        return MaxServer("f9LDEMO-limon-token-0001", chats=(f"chat:{self.chat_id}", "user:8800000305"))

    def secrets(self) -> Mapping[str, str]:
        return {"bot_token": "f9LDEMO-limon-token-0001"}

    def posted(self, text: str, number: int, webhook_secret: str) -> Posted:
        now_ms = int(time.time() * 1000)
        message = {
            "recipient": {"chat_id": int(self.chat_id), "chat_type": "dialog", "user_id": 8800000001},
            "timestamp": now_ms,
            "body": {"mid": f"mid.{number:032x}", "seq": number, "text": text},
            "sender": {"user_id": 8800000305, "first_name": "Алсу", "is_bot": False, "name": "Алсу"},
        }
        body = {"message": message, "timestamp": now_ms, "user_locale": "ru", "update_type": "message_created"}
        return _json(body), {"X-Max-Bot-Api-Secret": webhook_secret}, {}


class Avito(Messenger):
    kind, title, chat_id = "avito", "Авито", "u2i-DEMOchat~0306"

    def make_server(self) -> VendorServer:
        return AvitoServer()

    def secrets(self) -> Mapping[str, str]:
        return {"client_id": "demo-client-id", "client_secret": "demo-client-secret"}

    def settings(self) -> Mapping[str, str]:
        return {"account_id": "94000601"}

    def posted(self, text: str, number: int, webhook_secret: str) -> Posted:
        value = {
            "id": f"{number:08d}demo",
            "chat_id": self.chat_id,
            "user_id": 94000601,
            "author_id": 95000306,
            "created": int(time.time()),
            "type": "text",
            "chat_type": "u2i",
            "content": {"text": text},
            "item_id": 4300000001,
        }
        body = {
            "id": f"00000000-0000-4000-8000-{number:012d}",
            "version": "v3.0.0",
            "timestamp": int(time.time()),
            "payload": {"type": "message", "value": value},
        }
        return _json(body), {}, {"key": webhook_secret}


MESSENGERS: tuple[type[Messenger], ...] = (Telegram, WhatsApp, Instagram, Vk, Max, Avito)


def _json(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body).encode()


def _signed(body: Mapping[str, Any]) -> Posted:
    raw = _json(body)
    digest = hmac.new(APP_SECRET.encode(), raw, hashlib.sha256).hexdigest()
    return raw, {"X-Hub-Signature-256": f"sha256={digest}"}, {}
