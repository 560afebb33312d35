"""What schemathesis cannot know of this service: tokens, existing ids, stricter checks.

.ci/contract sets CONTRACT_URL and CONTRACT_ROLE. Without the ids of seeded data, every
request with an id would be answered with 404.
"""

import os
import uuid

import requests
import schemathesis

API = os.environ["CONTRACT_URL"] + "/api/v1"
ROLE = os.environ["CONTRACT_ROLE"]
EMAIL = {"attendee": "busy@test.com", "organizer": "organizer@test.com", "admin": "admin@test.com"}[ROLE]

# These operations revoke the request's token or change its user, so each of their
# requests gets a new user.
ONE_OFF = {"logoutUser", "deleteMe", "changePassword", "updateMe"}


def log_in(email, password="password"):
    answer = requests.post(f"{API}/auth/login", json={"email": email, "password": password}, timeout=30)
    answer.raise_for_status()
    return answer.json()["token"]


def register():
    answer = requests.post(f"{API}/auth/register", timeout=30, json={
        "email": f"{uuid.uuid4()}@example.com", "name": "One Off", "password": "password"})
    answer.raise_for_status()
    return answer.json()["token"]


class Tokens:
    """One token for all requests, and a new one after it was revoked."""

    token = None

    def get(self, case, context):
        if case.operation.definition.raw.get("operationId") in ONE_OFF:
            return register()
        if Tokens.token is None:
            Tokens.token = log_in(EMAIL)
        return Tokens.token

    def set(self, case, data, context):
        case.headers["Authorization"] = f"Bearer {data}"


schemathesis.auth(refresh_interval=None)(Tokens)


@schemathesis.hook
def after_call(context, case, response):
    sent = response.request.headers.get("Authorization", "")
    if response.status_code == 401 and Tokens.token and sent == f"Bearer {Tokens.token}":
        Tokens.token = None


def pages(path, token):
    """Return the items on the first ten pages of a list."""
    found, cursor = [], None
    for _ in range(10):
        answer = requests.get(API + path, timeout=30, headers={"Authorization": f"Bearer {token}"},
                              params={"limit": 100, **({"cursor": cursor} if cursor else {})})
        answer.raise_for_status()
        page = answer.json()
        found += page["data"]
        cursor = page["next_cursor"]
        if not cursor:
            break
    return found


def seeded():
    """Return the ids of what this role can see or change."""
    token = log_in(EMAIL)
    events = pages("/events?when=all", token)
    if ROLE == "organizer":
        me = requests.get(f"{API}/me", headers={"Authorization": f"Bearer {token}"}, timeout=30).json()["id"]
        events = [e for e in events if e["organizer_id"] == me]
    slots = [s for e in events[:40] for s in pages(f"/events/{e['id']}/slots", token)]
    if ROLE == "attendee":
        bookings = pages("/me/bookings", token)
    else:
        bookings = [b for e in events[:20] for b in pages(f"/events/{e['id']}/bookings", token)]
    users = pages("/users", token) if ROLE == "admin" else []
    return {
        "event_id": sorted(e["id"] for e in events),
        "slot_id": sorted(s["id"] for s in slots),
        "booking_id": sorted(b["id"] for b in bookings),
        # Not the users that send the requests.
        "user_id": sorted(u["id"] for u in users if not u["email"].endswith("@test.com")),
    }


SEEDED = seeded()


def existing_id(name, value):
    """Replace two of three generated ids by seeded ones, the same id always by the same."""
    known = SEEDED.get(name)
    try:
        number = uuid.UUID(value).int
    except (ValueError, TypeError, AttributeError):
        return value
    return known[number // 3 % len(known)] if known and number % 3 else value


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    return {name: existing_id(name, value) for name, value in (path_parameters or {}).items()}


@schemathesis.hook
def map_headers(context, headers):
    # Generated ETags never match; * does. Every third ETag stays, and is stale.
    if headers and len(headers.get("If-Match") or "") % 3:
        headers["If-Match"] = "*"
    return headers


@schemathesis.hook
def map_body(context, body):
    for part in [body, *items_of(body)]:
        if isinstance(part, dict):
            if "slot_id" in part:
                part["slot_id"] = existing_id("slot_id", part["slot_id"])
            if "replaces_booking_id" in part:
                part["replaces_booking_id"] = existing_id("booking_id", part["replaces_booking_id"])
    return body


def items_of(body):
    items = body.get("items") if isinstance(body, dict) else None
    return items if isinstance(items, list) else []


@schemathesis.check
def errors_are_problems(context, response, case):
    """Every error is application/problem+json, with the request id of the log."""
    if response.status_code < 400 or response.request.method == "HEAD":
        return
    content_type = response.headers.get("content-type")
    assert content_type == ["application/problem+json"], content_type
    problem = response.json()
    assert problem["status"] == response.status_code, problem
    assert problem["type"] == "/problems/" + problem["code"], problem
    # A replayed answer has the id of the first request.
    if "idempotent-replayed" not in response.headers:
        assert response.headers["x-request-id"] == [problem["request_id"]], problem


# Codes of malformed requests. Well-formed requests may still be refused for their
# meaning: an end before its start, an unknown cursor, a wrong password.
FORM = {"malformed_body", "invalid_parameter", "idempotency_key_invalid", "not_acceptable", "unsupported_media_type"}
FORM_OF_FIELD = {"type", "nullable", "enum", "format", "pattern", "required", "unknown_field", "uniqueItems", "minimum",
                 "maximum", "minLength", "maxLength", "minItems", "maxItems", "minProperties"}


@schemathesis.check
def valid_requests_are_not_malformed(context, response, case):
    """The service accepts the form of whatever the schemas allow."""
    if case.meta is None or not case.meta.generation.mode.is_positive or not 400 <= response.status_code < 500:
        return
    problem = response.json()
    assert problem["code"] not in FORM, problem
    if problem["code"] == "validation_failed":
        # A reason is required from organizers only, which no schema can express.
        wrong = [e for e in problem["errors"] if e["code"] in FORM_OF_FIELD and e.get("pointer") != "/reason"]
        assert not wrong, problem
