"""Asks a model exported as ONNX with onnxruntime alone: predict("home.onnx", [{"scenario": "home", "values": {"user": "u1"}}])"""
import json, math
import numpy as np
import onnxruntime


def predict(file, rows):
    """One dictionary per row: the probability by task."""
    session = onnxruntime.InferenceSession(file)
    vocabulary = json.loads(session.get_modelmeta().custom_metadata_map["autoifs"])
    fields, scenario, tasks = vocabulary["fields"], vocabulary["scenario"], vocabulary["tasks"]
    places = {one["key"]: place for place, one in enumerate(scenario["values"])}

    def value_of(field, row):
        own = field["column"] == scenario["column"]
        return scenario["values"][places[row["scenario"]]]["value"] if own else row["values"][field["column"]]

    parts = [[encoded(field, value_of(field, row), fields) for field in fields] for row in rows]
    feeds = {"ids": np.array([[x for ids, _ in row for x in ids] for row in parts], dtype=np.int32)}
    if "numbers" in vocabulary["inputs"]:
        feeds["numbers"] = np.array([[x for _, numbers in row for x in numbers] for row in parts], dtype=np.float32)
    if "scenario" in vocabulary["inputs"]:
        feeds["scenario"] = np.array([places[row["scenario"]] for row in rows], dtype=np.int32)
    (probabilities,) = session.run(["probabilities"], feeds)
    return [dict(zip(tasks, map(float, row))) for row in probabilities]


def encoded(field, value, fields):
    """The ids and numbers of a value."""
    kind, missing, is_text = field["kind"], value is None or value == "", isinstance(value, str)
    known = next(one for one in fields if one["column"] == (field.get("target") or field["column"]))["values"]
    id_of = lambda key: field["firstId"] + known.index(key) if key in known else field["unknownId"]
    if kind == "VALUE":
        if missing:
            return [field["firstId"] + 1], [1]
        x = float(value)
        y = math.copysign(math.log1p(abs(x)), x) if field["scale"] == "LOG" else x
        return [field["firstId"]], [max(-8, min(8, (y - field["mean"]) / field["std"]))]
    if kind == "VECTOR":
        if missing:
            return [], [0] * field["width"]
        pieces = value.strip("[]").split("," if value.startswith("[") else field["separator"]) if is_text else value
        return [], [float(piece) for piece in pieces]
    if kind in ("MULTI_VALUED", "SEQUENCE"):
        most = field["maximumLength"]
        pieces = [] if missing else value.split(field["separator"]) if is_text else map(text_of, value)
        keys = [key for key in pieces if key != ""]
        counted = keys[-most:] if kind == "SEQUENCE" else list(dict.fromkeys(keys))[:most]
        return [id_of(key) for key in counted] + [field["paddingId"]] * (most - len(counted)), []
    return [id_of(key_of(field, value))], []


def text_of(value):
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def key_of(field, value):
    """The text under which the vocabulary has a single value."""
    if value is None or value == "":
        return ""
    if field["kind"] == "CATEGORICAL":
        return text_of(value)
    x, bucketing = float(value), field["bucketing"]
    if bucketing["kind"] == "BOUNDARIES":
        return str(sum(boundary <= x for boundary in bucketing["boundaries"]))
    return str(math.floor(math.log(x) ** 2) if x > 2 else max(math.trunc(x), -(2**31)))
