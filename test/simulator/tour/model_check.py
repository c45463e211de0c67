"""Calls of boto3, with each answer checked against botocore's service model.

Nothing is validated on this side, nothing is retried. What is not as the model says is a finding.
"""
import json
import re

import boto3
import botocore.config
import botocore.exceptions

# Stated in the text of the documents, but not in the models.
UNMODELLED = {
    ("*", "ThrottlingException"): 400,
    ("*", "AccessDeniedException"): 400,
    ("*", "SerializationException"): 400,
    ("ListMigrationTaskUpdates", "InvalidToken"): 400,
    ("ListSourceResources", "InvalidToken"): 400,
}

# `@error("server")` in the Smithy models.
SERVER_FAULTS = {"InternalServerError", "InternalServiceError", "ServiceUnavailableException"}

CONFIG = botocore.config.Config(
    parameter_validation=False,
    retries={"total_max_attempts": 1},
    read_timeout=30,
)


class Tour:
    def __init__(self):
        self.findings = []
        self.calls = 0
        # By operation: the outcomes so far, "ok" or the name of an error.
        self.seen = {}
        self.lacking = set()

    def client(self, service):
        return Client(self, boto3.client(service, config=CONFIG))

    def find(self, operation, what):
        self.findings.append(f"{operation}: {what}")


class Client:
    def __init__(self, tour, client):
        self.tour = tour
        self.client = client
        self.model = client.meta.service_model
        self.raw = None
        client.meta.events.register("before-parse", self._keep)

    def _keep(self, response_dict, **_):
        self.raw = response_dict

    def operations(self):
        return list(self.model.operation_names)

    def ok(self, operation, **params):
        """The parsed answer; None when the installed boto3 does not know the operation."""
        return self.call(operation, "ok", params)

    def bad(self, error, operation, **params):
        return self.call(operation, error, params)

    def call(self, operation, expected, params):
        if operation not in self.model.operation_names:
            self.tour.lacking.add(operation)
            return None
        model = self.model.operation_model(operation)
        method = getattr(self.client, _snake(operation))
        self.tour.calls += 1
        parsed, outcome = None, "ok"
        try:
            parsed = method(**params)
        except botocore.exceptions.ClientError as error:
            parsed = error.response
            outcome = error.response["Error"]["Code"]
            self._check_class(operation, model, outcome, error)
        self.tour.seen.setdefault(operation, []).append(outcome)
        if outcome != expected:
            message = "" if parsed is None else parsed.get("Error", {}).get("Message", "")
            self.tour.find(operation, f"expected {expected}, got {outcome} {message} for {params}"[:400])
        self._check_answer(operation, model, outcome)
        return parsed

    def _check_class(self, operation, model, name, error):
        modelled = {shape.name for shape in model.error_shapes}
        if name in modelled and not isinstance(error, getattr(self.client.exceptions, name)):
            self.tour.find(operation, f"{name} is not raised as its own class")

    def _check_answer(self, operation, model, outcome):
        status, headers, body = self.raw["status_code"], self.raw["headers"], self.raw["body"]
        if not headers.get("x-amzn-requestid"):
            self.tour.find(operation, "no x-amzn-RequestId")
        if headers.get("content-type") != "application/x-amz-json-1.1":
            self.tour.find(operation, f"content type {headers.get('content-type')}")
        answer = json.loads(body)
        if outcome == "ok":
            if status != 200:
                self.tour.find(operation, f"HTTP {status}")
            if model.output_shape is None:
                if answer != {}:
                    self.tour.find(operation, f"an answer, but the model has none: {answer}")
            else:
                self._check_value(operation, model.output_shape, answer, "")
            return
        shape = next((each for each in model.error_shapes if each.name == outcome), None)
        if shape is None:
            wanted = UNMODELLED.get((operation, outcome), UNMODELLED.get(("*", outcome)))
            if wanted is None:
                self.tour.find(operation, f"{outcome} is not modelled for it")
            elif status != wanted:
                self.tour.find(operation, f"{outcome} with HTTP {status}, not {wanted}")
            return
        wanted = _modelled_status(shape)
        if status != wanted:
            self.tour.find(operation, f"{outcome} with HTTP {status}, not {wanted}")
        answer.pop("__type", None)
        self._check_value(operation, shape, answer, outcome)

    def _check_value(self, operation, shape, value, path):
        def find(what):
            self.tour.find(operation, f"{path or 'answer'}: {what}")

        kind = shape.type_name
        if kind == "structure":
            if not isinstance(value, dict):
                return find(f"no structure: {value!r}")
            for name in value:
                if name not in shape.members:
                    find(f"member {name} is not in the model")
            for name in shape.required_members:
                if value.get(name) is None:
                    find(f"member {name} is missing")
            for name, member in shape.members.items():
                if name in value:
                    self._check_value(operation, member, value[name], f"{path}.{name}")
        elif kind == "list":
            if not isinstance(value, list):
                return find(f"no list: {value!r}")
            self._check_length(find, shape, len(value))
            for item in value:
                self._check_value(operation, shape.member, item, f"{path}[]")
        elif kind == "map":
            for key, item in value.items():
                self._check_value(operation, shape.key, key, f"{path}{{}}")
                self._check_value(operation, shape.value, item, f"{path}{{}}")
        elif kind == "string":
            if not isinstance(value, str):
                return find(f"no string: {value!r}")
            self._check_length(find, shape, len(value))
            if shape.enum and value not in shape.enum:
                find(f"{value!r} is not one of {shape.enum}")
            pattern = shape.metadata.get("pattern")
            # Data Pipeline's pattern spells surrogates, which Python does not read so.
            if pattern and "\\uD800" not in pattern and not re.search(pattern, value):
                find(f"{value!r} does not match {pattern}")
        elif kind in ("integer", "long"):
            if not isinstance(value, int) or isinstance(value, bool):
                find(f"no integer: {value!r}")
        elif kind == "boolean":
            if not isinstance(value, bool):
                find(f"no boolean: {value!r}")
        elif kind == "timestamp":
            if not isinstance(value, (int, float)) or isinstance(value, bool):
                find(f"no epoch seconds: {value!r}")

    def _check_length(self, find, shape, length):
        least, most = shape.metadata.get("min", 0), shape.metadata.get("max", length)
        if not least <= length <= most:
            find(f"length {length} is not within {least} to {most}")


def _modelled_status(shape):
    """botocore leaves out the 429 that the Smithy models give to both Hubs' ThrottlingException."""
    if shape.name == "ThrottlingException":
        return 429
    return 500 if shape._shape_model.get("fault") or shape.name in SERVER_FAULTS else 400


def _snake(operation):
    return boto3.session.botocore.xform_name(operation)
