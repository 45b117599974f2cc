"""The site in Django Channels, by its documentation."""

import json
import os
from urllib.parse import parse_qs

import django
from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=[os.environ["BENCH_ALLOWED_HOST"]],
    CHANNEL_LAYERS={
        "default": {
            "BACKEND": "channels.layers.InMemoryChannelLayer",
            # More than the driver has under way at a time: a channel that is full loses messages.
            "CONFIG": {"capacity": 10_000},
        }
    },
    SECRET_KEY=os.environ["BENCH_SECRET"],
)
django.setup()

import jwt  # noqa: E402
from channels.generic.websocket import AsyncJsonWebsocketConsumer, AsyncWebsocketConsumer  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402
from django.urls import path  # noqa: E402


def user_of(token):
    """None for a token that is no good."""
    try:
        if jwt.get_unverified_header(token).get("typ") != "at+jwt":
            return None
        payload = jwt.decode(
            token,
            settings.SECRET_KEY,
            algorithms=["HS256"],
            issuer=os.environ["BENCH_ISSUER"],
            audience=os.environ["BENCH_AUDIENCE"],
            leeway=5,
            options={"require": ["exp", "jti", "sub"]},
        )
    except jwt.InvalidTokenError:
        return None
    return {"id": payload["sub"], "username": payload["username"], "name": payload["name"]}


class JwtAuthMiddleware:
    """Sets scope["user"] by the token in the query."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        [token] = parse_qs(scope["query_string"].decode("utf8")).get("token", [""])[:1]
        scope["user"] = user_of(token)
        return await self.app(scope, receive, send)


class ForUsers:
    """Before anything else a consumer asks who is there."""

    async def connect(self):
        if self.scope["user"] is None:
            await self.close()
        else:
            await self.accept()


class Echo(ForUsers, AsyncWebsocketConsumer):
    async def receive(self, text_data=None, bytes_data=None):
        await self.send(text_data=text_data, bytes_data=bytes_data)


class JsonEcho(ForUsers, AsyncJsonWebsocketConsumer):
    async def receive_json(self, content):
        await self.send_json({"type": "echoed", "n": content["n"], "text": content["text"]})

    @classmethod
    async def encode_json(cls, content):
        # Without spaces, as the others do.
        return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


class Member(AsyncWebsocketConsumer):
    async def connect(self):
        if self.scope["user"] is None:
            return await self.close()
        self.group = self.scope["url_route"]["kwargs"]["name"]
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()

    async def disconnect(self, code):
        if self.scope["user"] is not None:
            await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive(self, text_data=None, bytes_data=None):
        await self.channel_layer.group_send(self.group, {"type": "group.message", "text": text_data})

    async def group_message(self, event):
        await self.send(text_data=event["text"])


application = ProtocolTypeRouter(
    {
        "websocket": AllowedHostsOriginValidator(
            JwtAuthMiddleware(
                URLRouter(
                    [
                        path("ws/echo/", Echo.as_asgi()),
                        path("ws/json/", JsonEcho.as_asgi()),
                        path("ws/group/<slug:name>/", Member.as_asgi()),
                    ]
                )
            )
        ),
    }
)
