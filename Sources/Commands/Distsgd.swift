// The program: its subcommands, and its command line as one of them.
import ArgumentParser
import DistributedSGD
import Glibc
import Runs
import System

struct Distsgd: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "distsgd",
    abstract: "Synchronous data-parallel minibatch SGD over MPI.",
    discussion: """
      mpirun -np 8 distsgd --global-batch 128

      Every rank takes its share of every minibatch, all ranks add their gradients, and every rank makes the \
      same update. Without mpirun the same program runs in one process. Equal shards give equal bits.
      """,
    version: version,
    subcommands: [
      Train.self, ChapterCommand.self, SweepCommand.self, Bench.self, Evaluate.self, Predict.self,
      Export.self, ReportCommand.self, PlotCommand.self,
      Verify.self, Reproduce.self, DataCommand.self, ScheduleCommand.self, PlanCommand.self,
      DoctorCommand.self,
    ],
    defaultSubcommand: Train.self)
}

/// The program: `Program.main()` is all that its main file says.
public enum Program {
  /// Runs the command line as a rank of a job or alone, and ends the process.
  public static func main() -> Never {
    do { try StartArguments.startRanks(CommandLine.arguments, in: currentEnvironment()) } catch {
      Job.leave(after: error)
    }
    DoctorCommand.prepare()
    Job.run { job in
      LogFormat.apply(CommandLine.arguments)
      let words = try ConfigWords(Array(CommandLine.arguments.dropFirst()), over: job.communicator)
      LogFormat.apply(words.words)
      if Manual.isAskedFor(in: words.words) {
        job.report(Manual().text)
        return
      }
      let command = try parse(words)
      if let command = command as? any JobCommand {
        do { try command.run(on: job.communicator) } catch let error as AgreedError {
          throw words.located(error)
        }
      } else {
        guard job.worldSize == 1 else {
          throw AgreedError(DistsgdError(.usage, "this command starts its own jobs; run it without mpirun"))
        }
        var command = command
        try command.run()
      }
    }
  }

  /// The words of a command line; where options of `sweep` have several values, with the first of them.
  private static func readable(_ words: [String]) -> [String] {
    words.first == SweepCommand._commandName
      ? words.prefix(1) + SweepWords.readable(Array(words.dropFirst())) : words
  }

  /// The command line as a command. Every rank parses the same words and comes to the same end. A request for
  /// help is a command of ArgumentParser's own, which ends the parsing when it runs.
  private static func parse(_ words: ConfigWords) throws -> ParsableCommand {
    // Nobody knows what was asked for; without a word that would be the default command.
    guard CommandLine.arguments.first?.isEmpty == false else {
      throw AgreedError(
        DistsgdError(
          .usage,
          "the program was started without its command line, of which its name is the first word; start it by its name, as in 'distsgd --help'"
        ))
    }
    setCommandWords(words.words)
    do {
      var command = try Distsgd.parseAsRoot(readable(words.words))
      if !Distsgd.includes(type(of: command)) { try command.run() }
      return command
    } catch {
      throw ParsingEnd(error, words)
    }
  }
}

extension ParsableCommand {
  /// Whether `command` is this one or among its subcommands, at any depth.
  fileprivate static func includes(_ command: any ParsableCommand.Type) -> Bool {
    command == Self.self || configuration.subcommands.contains { $0.includes(command) }
  }
}

/// Parsing that ends the program: help, the version, or a mistake in the command line.
private struct ParsingEnd: ToldEnd {
  private let error: any Error
  private let words: ConfigWords

  init(_ error: any Error, _ words: ConfigWords) {
    self.error = error
    self.words = words
  }

  private var isMistake: Bool { Distsgd.exitCode(for: error) != .success }

  var code: Int32 { isMistake ? System.ExitCode.usage.rawValue : 0 }

  func tell() {
    if isMistake {
      var message = Distsgd.message(for: error).split(separator: "\n").joined(separator: " ")
      if message.hasSuffix(".") { message.removeLast() }
      message = words.located(told(message))
      standardError("distsgd: error: \(message); see 'distsgd --help'")
    } else {
      let text = Distsgd.fullMessage(for: error)
      standardOutput(text.isHelp(of: Distsgd.self) ? text + "\n" + Train.optionsHelp : text)
    }
  }
}

/// A message of ArgumentParser's, with what would be right where that is known better.
private func told(_ message: String) -> String {
  for start in ["Unknown option '", "Unexpected argument '"] where message.hasPrefix(start) {
    let word = String(message.dropFirst(start.count).prefix { $0 != "'" })
    if start.hasPrefix("Unknown"), let hint = hint(forUnknown: word) { return "\(start)\(word)': \(hint)" }
    if start.hasPrefix("Unexpected"), pathKind(word) == .file {
      return "\(start)\(word)': name data by --data, and the file of a model by --model"
    }
  }
  return message
}

extension String {
  /// Whether this is the help that belongs to the whole program.
  fileprivate func isHelp(of command: any ParsableCommand.Type) -> Bool {
    hasPrefix("OVERVIEW: \(command.configuration.abstract)") && contains("SUBCOMMANDS:")
  }
}

extension Train {
  /// The options of the default command, which may be given without its name.
  fileprivate static var optionsHelp: String {
    let help = helpMessage()
    guard let usage = help.firstRange(of: "USAGE: "),
      let end = help[usage.lowerBound...].firstRange(of: "\n\n")
    else { return help }
    return "OPTIONS OF TRAIN, THE DEFAULT COMMAND:\n\n" + help[end.upperBound...]
  }
}

typealias ExitCode = System.ExitCode
