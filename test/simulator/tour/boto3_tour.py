"""Calls every operation of the three services with boto3, with valid and invalid input, against a simulator.

AWS_ENDPOINT_URL names the simulator, as for any client. Prints what it found, as JSON.
"""
import datetime
import json
import os
import urllib.request

from model_check import Tour

tour = Tour()
hub, config, pipeline = (tour.client(name) for name in ("mgh", "migrationhub-config", "datapipeline"))


def control(path, body):
    url = f"{os.environ['AWS_ENDPOINT_URL']}/_simulator/{path}"
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def expect(operation, what, seen, wanted):
    # None: the installed boto3 does not know the operation.
    if seen != wanted and seen is not None:
        tour.find(operation, f"{what}: {seen!r}, not {wanted!r}")


def pages(client, operation, items, **params):
    """All items, with botocore's paginator of the operation."""
    if operation not in client.model.operation_names:
        tour.lacking.add(operation)
        return None
    name = operation[0].lower() + operation[1:]
    snake = "".join("_" + c.lower() if c.isupper() else c for c in name)
    tour.seen.setdefault(operation, []).append("pages")
    found = []
    for page in client.client.get_paginator(snake).paginate(**params):
        found += page[items]
    return found


NOW = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
TASK = {"ProgressUpdateStream": "acme", "MigrationTaskName": "files"}
NOBODY = {"ProgressUpdateStream": "acme", "MigrationTaskName": "nobody"}
STREAM = {"ProgressUpdateStreamName": "acme"}
INVALID, MISSING, DRY = "InvalidInputException", "ResourceNotFoundException", "DryRunOperation"


def home_region():
    control("home-region", {"region": None})
    expect("GetHomeRegion", "unset", config.ok("GetHomeRegion").get("HomeRegion"), None)
    hub.bad("HomeRegionNotSetException", "CreateProgressUpdateStream", **STREAM)
    hub.bad("HomeRegionNotSetException", "ListMigrationTasks")
    target = {"Type": "ACCOUNT"}
    config.bad(INVALID, "CreateHomeRegionControl", HomeRegion="us-gov-west-1", Target=target)
    config.bad(INVALID, "CreateHomeRegionControl", HomeRegion="us-west-2", Target={"Type": "OU"})
    config.bad(INVALID, "CreateHomeRegionControl", HomeRegion="us-west-2")
    config.bad(DRY, "CreateHomeRegionControl", HomeRegion="us-west-2", Target=target, DryRun=True)
    expect("GetHomeRegion", "after a dry run", config.ok("GetHomeRegion").get("HomeRegion"), None)
    made = config.ok("CreateHomeRegionControl", HomeRegion="us-west-2", Target=target)
    control_id = made["HomeRegionControl"]["ControlId"]
    again = config.ok("CreateHomeRegionControl", HomeRegion="us-west-2", Target=target)
    expect("CreateHomeRegionControl", "again", again["HomeRegionControl"]["ControlId"], control_id)
    config.bad(INVALID, "CreateHomeRegionControl", HomeRegion="eu-west-1", Target=target)
    for chosen, count in (({}, 1), ({"ControlId": control_id}, 1), ({"HomeRegion": "eu-west-1"}, 0)):
        listed = config.ok("DescribeHomeRegionControls", **chosen)["HomeRegionControls"]
        expect("DescribeHomeRegionControls", str(chosen), len(listed), count)
    config.bad(INVALID, "DescribeHomeRegionControls", MaxResults=101)
    config.bad(INVALID, "DeleteHomeRegionControl", ControlId="hrc-nothing")
    config.bad(INVALID, "DeleteHomeRegionControl", ControlId="hrc-000000000000")
    config.ok("DeleteHomeRegionControl", ControlId=control_id)
    config.ok("CreateHomeRegionControl", HomeRegion="us-west-2", Target=target)
    expect("GetHomeRegion", "set", config.ok("GetHomeRegion")["HomeRegion"], "us-west-2")


def streams_and_tasks():
    hub.bad(INVALID, "CreateProgressUpdateStream", ProgressUpdateStreamName="a/b")
    hub.bad(DRY, "CreateProgressUpdateStream", **STREAM, DryRun=True)
    expect("ListProgressUpdateStreams", "after a dry run", pages(hub, "ListProgressUpdateStreams", "ProgressUpdateStreamSummaryList"), [])
    hub.bad(MISSING, "ImportMigrationTask", **TASK)
    for name in ("acme", "acme", "b", "c"):
        hub.ok("CreateProgressUpdateStream", ProgressUpdateStreamName=name)
    listed = pages(hub, "ListProgressUpdateStreams", "ProgressUpdateStreamSummaryList", PaginationConfig={"PageSize": 2})
    expect("ListProgressUpdateStreams", "pages", [each["ProgressUpdateStreamName"] for each in listed], ["acme", "b", "c"])
    hub.ok("ListProgressUpdateStreams", MaxResults=100)
    hub.bad(INVALID, "ListProgressUpdateStreams", MaxResults=0)

    hub.bad(INVALID, "ImportMigrationTask", ProgressUpdateStream="acme", MigrationTaskName="a:b")
    hub.bad(DRY, "ImportMigrationTask", **TASK, DryRun=True)
    hub.bad(MISSING, "DescribeMigrationTask", **TASK)
    hub.bad(MISSING, "NotifyMigrationTaskState", **TASK, Task={"Status": "IN_PROGRESS"}, UpdateDateTime=NOW, NextUpdateSeconds=60)
    hub.ok("ImportMigrationTask", **TASK)
    hub.ok("ImportMigrationTask", **TASK)

    def notify(task, seconds=0, **more):
        return {**TASK, "Task": task, "UpdateDateTime": NOW + datetime.timedelta(seconds=seconds), "NextUpdateSeconds": 300, **more}

    hub.bad(DRY, "NotifyMigrationTaskState", **notify({"Status": "COMPLETED"}, DryRun=True))
    for wrong in ({"Status": "CANCELED"}, {"Status": "FAILED", "ProgressPercent": 101}, {"Status": "FAILED", "StatusDetail": "two\nlines"}, {}):
        hub.bad(INVALID, "NotifyMigrationTaskState", **notify(wrong))
    hub.bad(INVALID, "NotifyMigrationTaskState", **notify({"Status": "FAILED"}, NextUpdateSeconds=-1))
    for percent in range(5):
        hub.ok("NotifyMigrationTaskState", **notify({"Status": "IN_PROGRESS", "ProgressPercent": percent, "StatusDetail": "copying"}, percent))
    hub.ok("NotifyMigrationTaskState", **notify({"Status": "COMPLETED", "ProgressPercent": 100}, 9))
    updates = pages(hub, "ListMigrationTaskUpdates", "MigrationTaskUpdateList", **TASK, PaginationConfig={"PageSize": 4})
    if updates is not None:
        seen = [(each["MigrationTaskState"]["Status"], (each["UpdateDateTime"] - NOW).seconds) for each in updates]
        expect("ListMigrationTaskUpdates", "history", seen, [("IN_PROGRESS", i) for i in range(5)] + [("COMPLETED", 9)])
    hub.ok("ListMigrationTaskUpdates", **TASK, MaxResults=3)
    hub.bad(MISSING, "ListMigrationTaskUpdates", **NOBODY)
    hub.bad("InvalidToken", "ListMigrationTaskUpdates", **TASK, NextToken="Zm9v")

    described = hub.ok("DescribeMigrationTask", **TASK)["MigrationTask"]
    expect("DescribeMigrationTask", "state", described["Task"], {"Status": "COMPLETED", "ProgressPercent": 100})
    hub.bad(INVALID, "DescribeMigrationTask", ProgressUpdateStream="acme")
    hub.ok("ImportMigrationTask", ProgressUpdateStream="acme", MigrationTaskName="not notified")
    listed = hub.ok("ListMigrationTasks")["MigrationTaskSummaryList"]
    expect("ListMigrationTasks", "all", [each["MigrationTaskName"] for each in listed], ["files", "not notified"])
    hub.bad(INVALID, "ListMigrationTasks", ResourceName="")


def what_a_task_is_tied_to():
    attributes = [{"Type": "FQDN", "Value": "files01.example.com"}, {"Type": "IPV4_ADDRESS", "Value": "10.0.0.1"}]
    hub.bad(DRY, "PutResourceAttributes", **TASK, ResourceAttributeList=attributes, DryRun=True)
    hub.ok("PutResourceAttributes", **TASK, ResourceAttributeList=attributes)
    hub.bad(INVALID, "PutResourceAttributes", **TASK, ResourceAttributeList=[])
    hub.bad(MISSING, "PutResourceAttributes", **NOBODY, ResourceAttributeList=attributes)
    described = hub.ok("DescribeMigrationTask", **TASK)["MigrationTask"]
    expect("DescribeMigrationTask", "attributes", described["ResourceAttributeList"], attributes)
    found = hub.ok("ListMigrationTasks", ResourceName="files01.example.com")["MigrationTaskSummaryList"]
    expect("ListMigrationTasks", "by resource", len(found), 1)

    kinds = (
        ("CreatedArtifact", "CreatedArtifactName", "Name", "arn:aws:s3:::bucket/{}", "i-0123"),
        ("DiscoveredResource", "ConfigurationId", "ConfigurationId", "d-server-{}", ""),
        ("SourceResource", "SourceResourceName", "Name", "wave {}", ""),
    )
    for kind, key, name, form, wrong in kinds:
        link, unlink, show = f"Associate{kind}", f"Disassociate{kind}", f"List{kind}s"
        items = [{name: form.format(i), "Description": f"the {i}."} for i in range(12)]
        hub.bad(DRY, link, **TASK, **{kind: items[0]}, DryRun=True)
        hub.bad(INVALID, link, **TASK, **{kind: {name: wrong}}, DryRun=True)
        hub.bad(MISSING, link, **NOBODY, **{kind: items[0]})
        for item in [*items, items[0]]:
            hub.ok(link, **TASK, **{kind: item})
        expect(show, "pages", pages(hub, show, f"{kind}List", **TASK), items)
        hub.ok(show, **TASK, MaxResults=10)
        hub.bad(INVALID, show, **TASK, MaxResults=11)
        hub.bad(MISSING, show, **NOBODY)
        hub.bad(DRY, unlink, **TASK, **{key: form.format(0)}, DryRun=True)
        for i in range(12):
            hub.ok(unlink, **TASK, **{key: form.format(i)})
        hub.bad(MISSING, unlink, **TASK, **{key: form.format(0)})
        expect(show, "after all are gone", pages(hub, show, f"{kind}List", **TASK), [])


def applications():
    hub.bad(MISSING, "DescribeApplicationState", ApplicationId="d-application-1")
    hub.bad(DRY, "NotifyApplicationState", ApplicationId="d-application-1", Status="COMPLETED", DryRun=True)
    hub.bad(INVALID, "NotifyApplicationState", ApplicationId="d-application-1", Status="FAILED")
    hub.ok("NotifyApplicationState", ApplicationId="d-application-1", Status="IN_PROGRESS")
    hub.ok("NotifyApplicationState", ApplicationId="d-application-2", Status="COMPLETED", UpdateDateTime=NOW)
    described = hub.ok("DescribeApplicationState", ApplicationId="d-application-2")
    expect("DescribeApplicationState", "state", (described["ApplicationStatus"], described["LastUpdatedTime"]), ("COMPLETED", NOW))
    listed = pages(hub, "ListApplicationStates", "ApplicationStateList", PaginationConfig={"PageSize": 1})
    expect("ListApplicationStates", "pages", len(listed), 2)
    hub.ok("ListApplicationStates", ApplicationIds=["d-application-1"])
    hub.bad(INVALID, "ListApplicationStates", ApplicationIds=[])


def deletion():
    hub.bad(DRY, "DeleteProgressUpdateStream", **STREAM, DryRun=True)
    hub.bad(MISSING, "DeleteProgressUpdateStream", ProgressUpdateStreamName="nobody's")
    hub.ok("DeleteProgressUpdateStream", **STREAM)
    hub.bad(INVALID, "CreateProgressUpdateStream", **STREAM)
    hub.bad(INVALID, "ImportMigrationTask", **TASK)


def text(key, value):
    return {"key": key, "stringValue": value}


def reference(key, value):
    return {"key": key, "refValue": value}


def thing(name, *fields):
    return {"id": name, "name": name, "fields": list(fields)}


def shell(name, *fields):
    return thing(name, text("type", "ShellCommandActivity"), text("command", f"echo {name} #{{@scheduledStartTime}}"), *fields)


REQUEST, GONE, UNKNOWN = "InvalidRequestException", "PipelineDeletedException", "PipelineNotFoundException"
ON_DEMAND = thing("Default", text("scheduleType", "ondemand"), text("workerGroup", "files"))


def defining_pipelines():
    pipeline.bad(REQUEST, "CreatePipeline", name="p")
    tags = [{"key": "team", "value": "move"}]
    made = pipeline.ok("CreatePipeline", name="p", uniqueId="u", description="d", tags=tags)["pipelineId"]
    expect("CreatePipeline", "again", pipeline.ok("CreatePipeline", name="p", uniqueId="u")["pipelineId"], made)
    other = pipeline.ok("CreatePipeline", name="p", uniqueId="v")["pipelineId"]
    pipeline.ok("AddTags", pipelineId=made, tags=[{"key": "k", "value": ""}])
    pipeline.bad(REQUEST, "AddTags", pipelineId=made, tags=[{"key": "", "value": "x"}])
    pipeline.bad(UNKNOWN, "AddTags", pipelineId="df-0", tags=tags)
    pipeline.ok("RemoveTags", pipelineId=made, tagKeys=["k", "not there"])
    pipeline.bad(UNKNOWN, "RemoveTags", pipelineId="df-0", tagKeys=["k"])
    described = pipeline.ok("DescribePipelines", pipelineIds=[made, other])["pipelineDescriptionList"]
    expect("DescribePipelines", "tags", [each["tags"] for each in described], [tags, []])
    pipeline.bad(REQUEST, "DescribePipelines", pipelineIds=[made] * 26)
    pipeline.bad(UNKNOWN, "DescribePipelines", pipelineIds=["df-0"])
    listed = pages(pipeline, "ListPipelines", "pipelineIdList")
    expect("ListPipelines", "ids", {each["id"] for each in listed}, {made, other})
    pipeline.ok("ListPipelines")
    pipeline.bad(REQUEST, "ListPipelines", marker="Zm9v")

    pipeline.bad(REQUEST, "ActivatePipeline", pipelineId=made)
    pipeline.bad(REQUEST, "DeactivatePipeline", pipelineId=made)
    wrong = [ON_DEMAND, shell("A", text("maximumRetries", "six"))]
    answer = pipeline.ok("ValidatePipelineDefinition", pipelineId=made, pipelineObjects=wrong)
    expect("ValidatePipelineDefinition", "errors", (answer["errored"], [each["id"] for each in answer["validationErrors"]]), (True, ["A"]))
    pipeline.bad(UNKNOWN, "ValidatePipelineDefinition", pipelineId="df-0", pipelineObjects=wrong)
    expect("PutPipelineDefinition", "errored", pipeline.ok("PutPipelineDefinition", pipelineId=made, pipelineObjects=wrong)["errored"], True)
    pipeline.bad(REQUEST, "PutPipelineDefinition", pipelineId=made, pipelineObjects=[thing("A", text("type", ""))])
    pipeline.bad(UNKNOWN, "PutPipelineDefinition", pipelineId="df-0", pipelineObjects=wrong)
    objects = [ON_DEMAND, shell("A", text("scriptArgument", "x"), text("scriptArgument", "y")), shell("B", reference("dependsOn", "A"))]
    parameters = [{"id": "myTarget", "attributes": [text("default", "/srv")]}]
    put = pipeline.ok("PutPipelineDefinition", pipelineId=made, pipelineObjects=objects, parameterObjects=parameters, parameterValues=[{"id": "myTarget", "stringValue": "/data"}])
    expect("PutPipelineDefinition", "good", put["errored"], False)
    got = pipeline.ok("GetPipelineDefinition", pipelineId=made)
    expect("GetPipelineDefinition", "as it was put", (got["pipelineObjects"], got["parameterObjects"]), (objects, parameters))
    expect("GetPipelineDefinition", "active", pipeline.ok("GetPipelineDefinition", pipelineId=made, version="active")["pipelineObjects"], [])
    pipeline.bad(REQUEST, "GetPipelineDefinition", pipelineId=made, version="best")
    pipeline.bad(UNKNOWN, "GetPipelineDefinition", pipelineId="df-0")
    pipeline.bad(UNKNOWN, "ActivatePipeline", pipelineId="df-0")
    pipeline.ok("ActivatePipeline", pipelineId=made, parameterValues=[{"id": "myTarget", "stringValue": "/other"}])
    return made


def running_tasks(made):
    pipeline.bad(REQUEST, "PollForTask")
    task = pipeline.ok("PollForTask", workerGroup="files", hostname="host-1", instanceIdentity={"document": "{}", "signature": "s"})["taskObject"]
    fields = task["objects"][task["attemptId"]]["fields"]
    arguments = [each["stringValue"] for each in fields if each["key"] == "scriptArgument"]
    expect("PollForTask", "a field that stands twice", arguments, ["x", "y"])
    instance = task["attemptId"].split("_Attempt=")[0]
    pipeline.bad("TaskNotFoundException", "ReportTaskProgress", taskId="nobody's")
    pipeline.bad(REQUEST, "ReportTaskProgress", taskId=task["taskId"], fields=[text("a", "\x1b[31m")])
    expect("ReportTaskProgress", "canceled", pipeline.ok("ReportTaskProgress", taskId=task["taskId"], fields=[text("percentComplete", "50")])["canceled"], False)
    pipeline.bad(REQUEST, "ReportTaskRunnerHeartbeat")
    expect("ReportTaskRunnerHeartbeat", "terminate", pipeline.ok("ReportTaskRunnerHeartbeat", taskrunnerId="r", workerGroup="files", hostname="h")["terminate"], False)

    def query(sphere, *selectors, **more):
        return pipeline.ok("QueryObjects", pipelineId=made, sphere=sphere, query={"selectors": list(selectors)}, **more)["ids"]

    def where(field, kind, *values):
        return {"fieldName": field, "operator": {"type": kind, "values": list(values)}}

    expect("QueryObjects", "running", query("INSTANCE", where("@status", "EQ", "RUNNING")), [instance])
    expect("QueryObjects", "by reference", query("ATTEMPT", where("@instanceParent", "REF_EQ", instance)), [task["attemptId"]])
    expect("QueryObjects", "by time", query("INSTANCE", where("@scheduledStartTime", "GE", "2100-01-01T00:00:00")), [])
    expect("QueryObjects", "pages", pages(pipeline, "QueryObjects", "ids", pipelineId=made, sphere="COMPONENT", PaginationConfig={"PageSize": 1}), ["Default", "A", "B"])
    pipeline.bad(REQUEST, "QueryObjects", pipelineId=made, sphere="ALL")
    pipeline.bad(REQUEST, "QueryObjects", pipelineId=made, sphere="INSTANCE", marker="Zm9v")
    pipeline.bad(UNKNOWN, "QueryObjects", pipelineId="df-0", sphere="INSTANCE")
    shown = pages(pipeline, "DescribeObjects", "pipelineObjects", pipelineId=made, objectIds=["A", instance, task["attemptId"]])
    expect("DescribeObjects", "ids", [each["id"] for each in shown], ["A", instance, task["attemptId"]])
    pipeline.ok("DescribeObjects", pipelineId=made, objectIds=["A"], evaluateExpressions=True)
    pipeline.bad(REQUEST, "DescribeObjects", pipelineId=made, objectIds=["nobody"])
    pipeline.bad(UNKNOWN, "DescribeObjects", pipelineId="df-0", objectIds=["A"])
    evaluated = pipeline.ok("EvaluateExpression", pipelineId=made, objectId=instance, expression="in #{workerGroup}")
    expect("EvaluateExpression", "text", evaluated["evaluatedExpression"], "in files")
    pipeline.bad(REQUEST, "EvaluateExpression", pipelineId=made, objectId=instance, expression="#{nobody}")
    pipeline.bad(UNKNOWN, "EvaluateExpression", pipelineId="df-0", objectId="A", expression="x")

    pipeline.bad(REQUEST, "SetTaskStatus", taskId=task["taskId"], taskStatus="CANCELED")
    pipeline.bad(REQUEST, "SetTaskStatus", taskId=task["taskId"], taskStatus="FAILED", errorStackTrace="x" * 1025)
    pipeline.ok("SetTaskStatus", taskId=task["taskId"], taskStatus="FINISHED")
    pipeline.bad("TaskNotFoundException", "SetTaskStatus", taskId=task["taskId"], taskStatus="FINISHED")

    second = pipeline.ok("PollForTask", workerGroup="files")["taskObject"]
    pipeline.bad(REQUEST, "SetStatus", pipelineId=made, objectIds=["A", instance], status="PAUSE")
    pipeline.bad(REQUEST, "SetStatus", pipelineId=made, objectIds=["nobody"], status="TRY_CANCEL")
    pipeline.bad(UNKNOWN, "SetStatus", pipelineId="df-0", objectIds=["A"], status="PAUSE")
    pipeline.ok("SetStatus", pipelineId=made, objectIds=[second["attemptId"].split("_Attempt=")[0]], status="TRY_CANCEL")
    expect("ReportTaskProgress", "canceled", pipeline.ok("ReportTaskProgress", taskId=second["taskId"])["canceled"], True)

    pipeline.ok("ActivatePipeline", pipelineId=made)
    third = pipeline.ok("PollForTask", workerGroup="files")["taskObject"]
    pipeline.ok("DeactivatePipeline", pipelineId=made, cancelActive=True)
    pipeline.bad(UNKNOWN, "DeactivatePipeline", pipelineId="df-0")
    expect("ReportTaskProgress", "canceled", pipeline.ok("ReportTaskProgress", taskId=third["taskId"])["canceled"], True)
    pipeline.ok("DeletePipeline", pipelineId=made)
    pipeline.bad(UNKNOWN, "DeletePipeline", pipelineId=made)
    pipeline.bad(GONE, "ActivatePipeline", pipelineId=made)
    pipeline.bad(GONE, "ReportTaskProgress", taskId=third["taskId"])
    control("terminate", {"taskRunnerId": "all"})
    expect("ReportTaskRunnerHeartbeat", "terminate", pipeline.ok("ReportTaskRunnerHeartbeat", taskrunnerId="r")["terminate"], True)
    control("terminate", {"taskRunnerId": "all", "terminate": False})


def every_modelled_error():
    """Every modelled error of each operation, caused by a fault rule: its class, its HTTP status, its members."""
    for client in (hub, config, pipeline):
        for operation in client.operations():
            names = [shape.name for shape in client.model.operation_model(operation).error_shapes]
            if client is pipeline:
                names.append("ThrottlingException")
            for name in names:
                control("faults", {"clear": True, "add": [{"operation": operation, "fault": "error", "name": name}]})
                client.bad(name, operation)
    control("faults", {"clear": True})


home_region()
streams_and_tasks()
what_a_task_is_tied_to()
applications()
deletion()
running_tasks(defining_pipelines())
toured = {operation: sorted(set(outcomes)) for operation, outcomes in tour.seen.items()}
every_modelled_error()
known = [operation for client in (hub, config, pipeline) for operation in client.operations()]
print(json.dumps({
    "calls": tour.calls,
    "findings": tour.findings,
    "lacking": sorted(tour.lacking),
    "operations": len(known),
    "notToured": sorted(set(known) - set(toured)),
    "onlyGood": sorted(each for each in toured if toured[each] == ["ok"]),
    "onlyBad": sorted(each for each in toured if "ok" not in toured[each]),
}))
