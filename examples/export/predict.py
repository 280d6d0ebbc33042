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

    def id_of(field, row):
        own = field["column"] == scenario["column"]
        value = scenario["values"][places[row["scenario"]]]["value"] if own else row["values"][field["column"]]
        key = key_of(field, value)
        return field["firstId"] + field["values"].index(key) if key in field["values"] else field["unknownId"]

    feeds = {"ids": np.array([[id_of(field, row) for field in fields] for row in rows], dtype=np.int32)}
    if "scenario" in vocabulary["inputs"]:
        feeds["scenario"] = np.array([places[row["scenario"]] for row in rows], dtype=np.int32)
    (probabilities,) = session.run(["probabilities"], feeds)
    return [dict(zip(tasks, map(float, row))) for row in probabilities]


def key_of(field, value):
    """The text under which the vocabulary has a value."""
    if value is None or value == "":
        return ""
    if field["kind"] == "CATEGORICAL":
        return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
    x, bucketing = float(value), field["bucketing"]
    if bucketing["kind"] == "BOUNDARIES":
        return str(sum(boundary <= x for boundary in bucketing["boundaries"]))
    return str(math.floor(math.log(x) ** 2) if x > 2 else max(math.trunc(x), -(2**31)))
