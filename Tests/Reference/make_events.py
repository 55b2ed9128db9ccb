#!/usr/bin/env python3
"""Prints records as TensorBoard's own writer makes them, for Tests/RunsTests/EventTests.swift. Needs tensorboard."""
import io

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.histogram_pb2 import HistogramProto
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.tensor_shape_pb2 import TensorShapeProto
from tensorboard.plugins.hparams import api_pb2, plugin_data_pb2
from tensorboard.summary.writer.record_writer import RecordWriter


def value(tag, plugin, content, tensor):
    metadata = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name=plugin, content=content))
    return Summary.Value(tag=tag, metadata=metadata, tensor=tensor)


def hyperparameters(tag, data):
    nothing = TensorProto(dtype=1, tensor_shape=TensorShapeProto(dim=[TensorShapeProto.Dim(size=0)]))
    return value("_hparams_/" + tag, "hparams", data.SerializeToString(), nothing)


start = plugin_data_pb2.SessionStartInfo(group_name="g", start_time_secs=1.5)
start.hparams["model"].string_value = "linear"
line = TensorShapeProto(dim=[TensorShapeProto.Dim(size=1)])
for name, event in {
    "version": Event(wall_time=1.5, file_version="brain.Event:2"),
    "restart": Event(wall_time=1.5, step=300, session_log=SessionLog(status=SessionLog.START)),
    "scalar": Event(wall_time=1.5, step=300, summary=Summary(value=[Summary.Value(tag="step/loss", simple_value=0.1)])),
    "histogram": Event(wall_time=1.5, step=1, summary=Summary(value=[Summary.Value(tag="w", histo=HistogramProto(
        min=2, max=2, num=3, sum=6, sum_squares=12, bucket_limit=[2], bucket=[3]))])),
    "text": Event(wall_time=1.5, step=1, summary=Summary(value=[
        value("t", "text", b"", TensorProto(dtype=7, tensor_shape=line, string_val=[b"ab"]))])),
    "start": Event(wall_time=1.5, step=1, summary=Summary(value=[hyperparameters(
        "session_start_info", plugin_data_pb2.HParamsPluginData(session_start_info=start))])),
    "end": Event(wall_time=1.5, step=1, summary=Summary(value=[hyperparameters(
        "session_end_info", plugin_data_pb2.HParamsPluginData(session_end_info=plugin_data_pb2.SessionEndInfo(
            status=api_pb2.STATUS_FAILURE, end_time_secs=2.5)))])),
    "experiment": Event(wall_time=1.5, step=1, summary=Summary(value=[hyperparameters(
        "experiment", plugin_data_pb2.HParamsPluginData(experiment=api_pb2.Experiment(
            time_created_secs=1.5, hparam_infos=[api_pb2.HParamInfo(name="lr", type=api_pb2.DATA_TYPE_FLOAT64)],
            metric_infos=[api_pb2.MetricInfo(name=api_pb2.MetricName(tag="loss"))])))])),
}.items():
    file = io.BytesIO()
    RecordWriter(file).write(event.SerializeToString())
    print(name, file.getvalue().hex())
