"""Gives schemathesis tokens, ids of seeded resources, and checks specific to this service.

.ci/contract sets CONTRACT_URL and CONTRACT_ROLE. Without ids of resources that
exist, every request about a single resource would return 404.
"""

import os
import uuid

import requests
import schemathesis

API = os.environ["CONTRACT_URL"] + "/api/v1"
ROLE = os.environ["CONTRACT_ROLE"]
EMAIL = {"attendee": "busy@test.com", "organizer": "organizer@test.com", "admin": "admin@test.com"}[ROLE]

# These revoke the token or delete or change its user, so each of their requests is
# sent by a newly registered user.
ONE_OFF = {"logoutUser", "deleteMe", "changePassword", "updateMe"}


def log_in(email, password="password"):
    response = requests.post(f"{API}/auth/login", json={"email": email, "password": password}, timeout=30)
    response.raise_for_status()
    return response.json()["token"]


def register():
    response = requests.post(f"{API}/auth/register", timeout=30, json={
        "email": f"{uuid.uuid4()}@example.com", "name": "One Off", "password": "correct horse battery"})
    response.raise_for_status()
    return response.json()["token"]


class Tokens:
    """Provides one token for all requests, and a new one after it was revoked."""

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
    """Returns the items on the first ten pages of a list."""
    found, cursor = [], None
    for _ in range(10):
        response = requests.get(API + path, timeout=30, headers={"Authorization": f"Bearer {token}"},
                              params={"limit": 100, **({"cursor": cursor} if cursor else {})})
        response.raise_for_status()
        page = response.json()
        found += page["data"]
        cursor = page["next_cursor"]
        if not cursor:
            break
    return found


def seeded():
    """Returns the ids of resources that this role can see or change."""
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
        # Without the accounts that send the requests.
        "user_id": sorted(u["id"] for u in users if not u["email"].endswith("@test.com")),
    }


SEEDED = seeded()


def real(name, value):
    """Replaces two of three generated ids by seeded ones; the same id always by the same one."""
    known = SEEDED.get(name)
    try:
        number = uuid.UUID(value).int
    except (ValueError, TypeError, AttributeError):
        return value
    return known[number // 3 % len(known)] if known and number % 3 else value


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    return {name: real(name, value) for name, value in (path_parameters or {}).items()}


@schemathesis.hook
def map_headers(context, headers):
    # No generated ETag is current, but * matches any. One of three stays, and is stale.
    if headers and len(headers.get("If-Match") or "") % 3:
        headers["If-Match"] = "*"
    return headers


@schemathesis.hook
def map_body(context, body):
    for part in [body, *items_of(body)]:
        if isinstance(part, dict):
            if "slot_id" in part:
                part["slot_id"] = real("slot_id", part["slot_id"])
            if "replaces_booking_id" in part:
                part["replaces_booking_id"] = real("booking_id", part["replaces_booking_id"])
    return body


def items_of(body):
    items = body.get("items") if isinstance(body, dict) else None
    return items if isinstance(items, list) else []


@schemathesis.check
def problems_are_problems(context, response, case):
    """Every error response is problem+json, and has the id of its request."""
    if response.status_code < 400 or response.request.method == "HEAD":
        return
    content_type = response.headers.get("content-type")
    assert content_type == ["application/problem+json"], content_type
    problem = response.json()
    assert problem["status"] == response.status_code, problem
    assert problem["type"] == "/problems/" + problem["code"], problem
    # A replayed response has the id of the first request.
    if "idempotent-replayed" not in response.headers:
        assert response.headers["x-request-id"] == [problem["request_id"]], problem


# Errors in the form of a request. A well-formed request may still be refused for its
# meaning: an end before its start, an unknown cursor, a wrong password.
FORM = {"malformed_body", "invalid_parameter", "idempotency_key_invalid", "not_acceptable", "unsupported_media_type"}
FORM_OF_FIELD = {"type", "nullable", "enum", "format", "pattern", "required", "unknown_field", "uniqueItems", "minimum",
                 "maximum", "minLength", "maxLength", "minItems", "maxItems", "minProperties"}


@schemathesis.check
def valid_requests_are_well_formed(context, response, case):
    """A request that the schema allows is well-formed for the service, too."""
    if case.meta is None or not case.meta.generation.mode.is_positive or not 400 <= response.status_code < 500:
        return
    problem = response.json()
    assert problem["code"] not in FORM, problem
    if problem["code"] == "validation_failed":
        # Organizers must give a reason, attendees may, and another e-mail address needs the
        # password: the schema cannot express that.
        wrong = [e for e in problem["errors"] if e["code"] in FORM_OF_FIELD and e.get("pointer") not in ("/reason", "/current_password")]
        assert not wrong, problem
