// `--config FILE.yaml`: options from a file become words of the command line, in front of the user's own.
import ArgumentParser
import DataFormats
import DistributedSGD
import MPI
import Runs
import Synchronization
import System
import Text

/// The words behind the program's name, with those of `--config` in their places: what the user has typed wins.
struct ConfigWords {
  private(set) var words: [String]
  /// Where a flag of a file stands: for what is wrong with its value.
  private(set) var places: [(flag: String, place: String)] = []

  /// Rank 0 reads the files, for all. Collective.
  /// - Throws: `AgreedError` on every rank alike.
  init(_ given: [String], over communicator: any Communicator) throws {
    words = given
    let (command, depth) = Self.command(in: given)
    let (paths, rest) = Self.split(given[depth...])
    // Where a command takes no file, its parser says so.
    guard !paths.isEmpty, case let options = OptionNames(of: command), options.group("config") != nil else {
      return
    }
    var texts: [[UInt8]] = []
    for path in paths {
      let bytes = try communicator.agreeingOnErrors {
        communicator.rank == 0 ? try Self.read(path) : []
      }
      texts.append(try communicator.broadcastBytes(bytes, from: 0))
    }
    var found: [String] = []
    do throws(DistsgdError) {
      for (path, bytes) in zip(paths, texts) {
        let mapping = try YAMLMapping(bytes, path: printable(path, limit: 200))
        for member in mapping.members {
          let place = "--config \(printable(path, limit: 200)) line \(member.line)"
          let group = try options.require(member.key, place)
          let words = try group.words(member, place)
          // The command line wins, by whichever of its names.
          guard !group.names.contains(where: { name in rest.contains { $0.isFlag(name) } }) else { continue }
          found += words
          places.append((member.key, place))
        }
      }
    } catch {
      // All ranks have read the same.
      throw AgreedError(error)
    }
    words = given[..<depth] + found + rest
  }

  /// The command that the words name, and how many of them do.
  private static func command(in words: [String]) -> (any ParsableCommand.Type, Int) {
    var command: any ParsableCommand.Type = Distsgd.self
    var depth = 0
    while depth < words.count,
      let next = command.configuration.subcommands.first(where: { $0._commandName == words[depth] })
    {
      command = next
      depth += 1
    }
    return (command.configuration.defaultSubcommand ?? command, depth)
  }

  /// The files of `--config`, and all other words.
  private static func split(_ words: ArraySlice<String>) -> (paths: [String], rest: [String]) {
    var (paths, rest): ([String], [String]) = ([], [])
    var words = words
    while let word = words.popFirst() {
      if word == "--" { return (paths, rest + [word] + words) }
      if word == "--config", let path = words.first {
        paths.append(path)
        words.removeFirst()
      } else if word.hasPrefix("--config=") {
        paths.append(String(word.dropFirst(9)))
      } else {
        rest.append(word)
      }
    }
    return (paths, rest)
  }

  private static func read(_ path: String) throws -> [UInt8] {
    do {
      let file = try FileBytes(path, takesPipe: false)
      return try withExtendedLifetime(file) {
        guard file.bytes.count <= 1 << 20 else {
          throw DistsgdError(.badData, "it has more than 1 MiB, and options are a line each")
        }
        return Array(file.bytes)
      }
    } catch let error as DistsgdError {
      throw DistsgdError(error.code, "--config \(printable(path, limit: 200)): \(error)")
    }
  }

  /// What ArgumentParser says of a value, with the place in a file that it comes from.
  func located(_ message: String) -> String {
    for (flag, place) in places where message.contains("--\(flag)") || message.contains("'\(flag)'") {
      return "\(place): \(message)"
    }
    return message
  }
}

extension ConfigWords {
  /// The same of an error about a setting, which begins with its flag.
  func located(_ error: AgreedError) -> AgreedError {
    let text = error.error.description
    for (flag, place) in places where text.hasPrefix("--\(flag) ") || text.hasPrefix("--\(flag):") {
      return AgreedError(DistsgdError(error.error.code, "\(place): \(text)"))
    }
    return error
  }
}

extension String {
  /// Whether this word is `--name`, with or without a value behind it.
  fileprivate func isFlag(_ name: String) -> Bool { self == "--\(name)" || hasPrefix("--\(name)=") }
}

/// The long names of a command's options, as ArgumentParser tells them.
private struct OptionNames {
  /// Names that mean the same option.
  struct Group {
    var names: [String] = []
    var isFlag = false
    var isRepeating = false
  }

  private var groups: [Group] = []

  init(of command: any ParsableCommand.Type) {
    groups = CommandDescription(of: command).arguments.map { argument in
      Group(
        names: argument.names.filter { $0.hasPrefix("--") }.map { String($0.dropFirst(2)) },
        isFlag: argument.kind == .flag, isRepeating: argument.isRepeating)
    }
    // A flag and its opposite are told one by one.
    for (index, group) in groups.enumerated() where group.isFlag {
      let opposites = group.names.map { "no-" + $0 }
      for other in groups.indices where groups[other].names.contains(where: opposites.contains) {
        let names = group.names + groups[other].names
        (groups[index].names, groups[other].names) = (names, names)
      }
    }
  }

  func group(_ name: String) -> Group? { groups.first { $0.names.contains(name) } }

  /// - Throws: `DistsgdError` (`usage`) with what may be meant.
  func require(_ key: String, _ place: String) throws(DistsgdError) -> Group {
    if key == "config" {
      throw DistsgdError(
        .usage, "\(place): a file of options names no other one; give both on the command line")
    }
    if let group = group(key), !["help", "version"].contains(key) { return group }
    let name = String(key.drop { $0 == "-" }).replacing("_", with: "-")
    let names = groups.flatMap(\.names).filter { $0 != "config" && $0 != "help" && $0 != "version" }
    let hint =
      (names.contains(name) ? "write '\(name)'" : nil) ?? hint(forUnknown: name)
      ?? nearest(name, among: names).map { "did you mean '\($0)'?" }
      ?? "options have the names of the command line, without the dashes: see --help"
    throw DistsgdError(.usage, "\(place): unknown option '\(printable(key))': \(hint)")
  }
}

extension OptionNames.Group {
  /// The words of a file's line.
  fileprivate func words(_ member: YAMLMapping.Member, _ place: String) throws(DistsgdError) -> [String] {
    let flag = "--\(member.key)"
    guard isFlag else {
      switch member.value {
      case .word(let word, _): return ["\(flag)=\(word)"]
      // A text of layers has blanks between them.
      case .list(let words) where member.key == "model": return ["\(flag)=\(words.joined(separator: " "))"]
      case .list(let words) where isRepeating: return words.map { "\(flag)=\(ColumnList.text([$0]))" }
      case .list(let words): return ["\(flag)=\(ColumnList.text(words))"]
      }
    }
    guard case .word(let word, isQuoted: false) = member.value, let isOn = truth(word) else {
      throw DistsgdError(.usage, "\(place): '\(member.key)' is on or off; write true or false")
    }
    let opposite = member.key.hasPrefix("no-") ? String(member.key.dropFirst(3)) : "no-\(member.key)"
    if isOn { return [flag] }
    return names.contains(opposite) ? ["--\(opposite)"] : []
  }
}

/// YAML's booleans.
private func truth(_ word: String) -> Bool? {
  switch word.lowercased() {
  case "true", "yes", "on": true
  case "false", "no", "off": false
  default: nil
  }
}

private let current = Mutex<[String]?>(nil)

/// The words of this command line, those of `--config` among them: for who starts other processes, or parses them again.
func commandWords() -> [String] { current.withLock { $0 } ?? Array(CommandLine.arguments.dropFirst()) }

/// From now on `commandWords` are these.
func setCommandWords(_ words: [String]) { current.withLock { $0 = words } }
