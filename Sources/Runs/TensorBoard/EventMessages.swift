// What TensorBoard's event files say, as bytes. Of its messages (event.proto, summary.proto, histogram.proto,
// tensor.proto, and plugin_data.proto of its hparams) these fields are used:
//
//     message Event             { double wall_time = 1; int64 step = 2; string file_version = 3; Summary summary = 5;
//                                 SessionLog session_log = 7; }
//     message SessionLog        { Status status = 1; }                                       Status: START = 1
//     message Summary           { repeated Value value = 1; }
//     message Value             { string tag = 1; float simple_value = 2; Histogram histo = 5; Tensor tensor = 8;
//                                 Metadata metadata = 9; }
//     message Metadata          { PluginData plugin_data = 1; }
//     message PluginData        { string plugin_name = 1; bytes content = 2; }
//     message Histogram         { double min = 1, max = 2, num = 3, sum = 4, sum_squares = 5;
//                                 repeated double bucket_limit = 6, bucket = 7; }
//     message Tensor            { Type dtype = 1; Shape tensor_shape = 2; repeated bytes string_val = 8; }
//                                                                                 Type: FLOAT = 1, STRING = 7
//     message Shape             { repeated Dimension dim = 2; }
//     message Dimension         { int64 size = 1; }
//     message HParamsPluginData { Experiment experiment = 2; SessionStart session_start_info = 3;
//                                 SessionEnd session_end_info = 4; }
//     message Experiment        { double time_created_secs = 3; repeated HParam hparam_infos = 4;
//                                 repeated Metric metric_infos = 5; }
//     message HParam            { string name = 1; Kind type = 4; }             Kind: STRING = 1, BOOL = 2, FLOAT64 = 3
//     message Metric            { MetricName name = 1; }
//     message MetricName        { string tag = 2; }
//     message SessionStart      { repeated Entry hparams = 1; string group_name = 4; double start_time_secs = 5; }
//     message Entry             { string key = 1; Value value = 2; }
//     message Value             { double number_value = 2; string string_value = 3; bool bool_value = 4; }
//     message SessionEnd        { Status status = 1; double end_time_secs = 2; }        Status: SUCCESS = 1, FAILURE = 2
import System

/// The events of an event file.
package enum EventMessage {
  /// The first of a file.
  package static func version(at wallTime: Double) -> [UInt8] {
    var event = ProtocolBuffer()
    event.add(1, wallTime)
    event.add(3, "brain.Event:2")
    return event.bytes
  }

  /// A run goes on: what other files tell of this step and later ones is forgotten.
  package static func restart(step: Int, at wallTime: Double) -> [UInt8] {
    var event = ProtocolBuffer()
    event.add(1, wallTime)
    event.add(2, step)
    event.add(7) { $0.add(1, 1) }
    return event.bytes
  }

  /// What is told of a step.
  package static func summary(_ summary: Summary, step: Int, at wallTime: Double) -> [UInt8] {
    var event = ProtocolBuffer()
    event.add(1, wallTime)
    event.add(2, step)
    event.add(5, summary.message.bytes)
    return event.bytes
  }
}

/// Values by their tags.
package struct Summary {
  fileprivate var message = ProtocolBuffer()

  package init() {}

  var isEmpty: Bool { message.bytes.isEmpty }

  package mutating func add(_ tag: String, _ scalar: Float) {
    message.add(1) {
      $0.add(1, tag)
      $0.add(2, scalar)
    }
  }

  package mutating func add(_ tag: String, _ histogram: Histogram) {
    message.add(1) {
      $0.add(1, tag)
      $0.add(5) {
        $0.add(1, histogram.minimum)
        $0.add(2, histogram.maximum)
        $0.add(3, Double(histogram.count))
        $0.add(4, histogram.sum)
        $0.add(5, histogram.sumOfSquares)
        $0.add(6, histogram.limits)
        $0.add(7, histogram.counts.map(Double.init))
      }
    }
  }

  /// - Parameter text: in Markdown.
  package mutating func add(_ tag: String, text: String) {
    message.add(1) {
      $0.add(1, tag)
      $0.add(8) {
        $0.add(1, 7)
        $0.add(2) { $0.add(2) { $0.add(1, 1) } }
        $0.add(8, text)
      }
      Self.add(plugin: "text", [], to: &$0)
    }
  }

  private static func add(plugin name: String, _ content: [UInt8], to value: inout ProtocolBuffer) {
    value.add(9) {
      $0.add(1) {
        $0.add(1, name)
        if !content.isEmpty { $0.add(2, content) }
      }
    }
  }

  /// What the hparams plugin knows of an experiment or of one of its runs.
  fileprivate mutating func add(_ tag: String, hyperparameters: (inout ProtocolBuffer) -> Void) {
    var content = ProtocolBuffer()
    hyperparameters(&content)
    message.add(1) {
      $0.add(1, "_hparams_/" + tag)
      // A tensor of no numbers.
      $0.add(8) {
        $0.add(1, 1)
        $0.add(2) { $0.add(2) { _ in } }
      }
      Self.add(plugin: "hparams", content.bytes, to: &$0)
    }
  }
}

/// A setting that runs differ in.
package struct Hyperparameter: Sendable, Equatable {
  package enum Value: Sendable, Equatable {
    case number(Double)
    case flag(Bool)
    case text(String)
  }

  package var name: String
  package var value: Value

  package init(_ name: String, text: String) {
    self.name = name
    value = .text(text)
  }

  /// - Parameter word: a number, `true` or `false`, or any other text.
  package init(_ name: String, word: String) {
    self.name = name
    value =
      if let number = Double(word), number.isFinite {
        .number(number)
      } else if word == "true" || word == "false" {
        .flag(word == "true")
      } else {
        .text(word)
      }
  }
}

extension Summary {
  /// An experiment: its settings, each with a value that tells of what kind it is, and the tags of its results.
  package mutating func addExperiment(
    _ settings: [Hyperparameter], results: [String], at wallTime: Double
  ) {
    add("experiment") {
      $0.add(2) { experiment in
        experiment.add(3, wallTime)
        for setting in settings {
          experiment.add(4) {
            $0.add(1, setting.name)
            switch setting.value {
            case .text: $0.add(4, 1)
            case .flag: $0.add(4, 2)
            case .number: $0.add(4, 3)
            }
          }
        }
        for tag in results { experiment.add(5) { $0.add(1) { $0.add(2, tag) } } }
      }
    }
  }

  /// A run begins.
  /// - Parameter group: of runs that are repetitions of each other.
  package mutating func addStart(_ settings: [Hyperparameter], group: String? = nil, at wallTime: Double) {
    add("session_start_info") {
      $0.add(3) { start in
        for setting in settings {
          start.add(1) {
            $0.add(1, setting.name)
            $0.add(2) {
              switch setting.value {
              case .number(let value): $0.add(2, value)
              case .text(let value): $0.add(3, value)
              case .flag(let value): $0.add(4, value)
              }
            }
          }
        }
        if let group { start.add(4, group) }
        start.add(5, wallTime)
      }
    }
  }

  /// A run has ended.
  package mutating func addEnd(isSuccess: Bool, at wallTime: Double) {
    add("session_end_info") {
      $0.add(4) {
        $0.add(1, isSuccess ? 1 : 2)
        $0.add(2, wallTime)
      }
    }
  }
}
