/// Several schedules at once, whose factors are multiplied: words with blanks between them.
struct ProductSchedule: Schedule {
  static let names: [String] = []
  static let form = "cosine step:every=10epochs,factor=0.5"

  let schedules: [any Schedule]

  init(_ schedules: [any Schedule]) { self.schedules = schedules }

  /// It has no word of its own.
  init(_ word: Word) throws(WordError) { throw WordError(word.text, "it is no schedule") }

  var description: String { schedules.map(\.description).joined(separator: " ") }
  var dependsOnLength: Bool { schedules.contains { $0.dependsOnLength } }

  func factor(_ moment: ScheduleMoment) -> Double { schedules.reduce(1) { $0 * $1.factor(moment) } }
}
