// Dates and times as tables have them: 2024-02-01, 2024/02/01, 1/2/2024, 1.2.2024, with or without a time after it.

/// A date that is written in a field.
struct DateText {
  /// Since 1970, without time zones: what the field says is what counts.
  let seconds: Double
  let hasTime: Bool

  /// nil for a text that is no date.
  init?(_ text: String) {
    let bytes = Array(text.utf8)
    guard bytes.count >= 6, bytes.count <= 35, bytes[0] >= 48, bytes[0] <= 57 else { return nil }
    var place = 0
    func number(_ digits: ClosedRange<Int>) -> Int? {
      let start = place
      var value = 0
      while place < bytes.count, place - start < digits.upperBound, 48...57 ~= bytes[place] {
        value = 10 * value + Int(bytes[place] - 48)
        place += 1
      }
      return digits.contains(place - start) ? value : nil
    }
    func accept(_ marks: String) -> UInt8? {
      guard place < bytes.count, marks.utf8.contains(bytes[place]) else { return nil }
      place += 1
      return bytes[place - 1]
    }
    guard let first = number(1...4), case let digits = place, let mark = accept("-/."),
      let second = number(1...2), accept(String(Character(Unicode.Scalar(mark)))) != nil,
      let third = number(1...4)
    else { return nil }
    var (year, month, day) = (first, second, third)
    if digits <= 2 {
      // Day and month as in most of the world where a point stands, or where the first is no month.
      guard third >= 1000 else { return nil }
      (year, month, day) =
        mark == UInt8(ascii: ".") || first > 12 ? (third, second, first) : (third, first, second)
    } else if digits != 4 {
      return nil
    }
    guard 1...12 ~= month, 1...31 ~= day else { return nil }
    var time = 0.0
    var hasTime = false
    if place < bytes.count {
      guard accept(" T") != nil, let hour = number(1...2), accept(":") != nil, let minute = number(2...2),
        hour < 24, minute < 60
      else { return nil }
      hasTime = true
      time = Double(3600 * hour + 60 * minute)
      if accept(":") != nil {
        guard let second = number(2...2), second < 61 else { return nil }
        time += Double(second)
        // Fractions and time zones change no part that is used.
        guard bytes[place...].allSatisfy({ "0123456789.:+-Z ".utf8.contains($0) }) else { return nil }
      } else {
        guard bytes[place...].allSatisfy({ "0123456789:+-Z ".utf8.contains($0) }) else { return nil }
      }
    }
    seconds = 86_400 * Double(Self.days(year, month, day)) + time
    self.hasTime = hasTime
  }

  /// Days since 1970-01-01 in the Gregorian calendar.
  private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
    // Years from March on, so that the leap day is the last.
    let y = month <= 2 ? year - 1 : year
    let era = (y >= 0 ? y : y - 399) / 400
    let yearOfEra = y - era * 400
    let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }
}

/// What a date can be taken apart into.
enum DatePart: String, CaseIterable {
  case year, month, day, weekday, hour, minute

  static let ofDay: [DatePart] = [.year, .month, .day, .weekday]

  /// Of seconds since 1970; weekdays from 0, Monday.
  func value(_ seconds: Double) -> Double {
    let days = (seconds / 86_400).rounded(.down)
    let rest = seconds - 86_400 * days
    switch self {
    case .hour: return (rest / 3600).rounded(.down)
    case .minute: return (rest.truncatingRemainder(dividingBy: 3600) / 60).rounded(.down)
    case .weekday:
      let weekday = (days + 3).truncatingRemainder(dividingBy: 7)
      return weekday < 0 ? weekday + 7 : weekday
    case .year, .month, .day:
      let shifted = Int(days) + 719_468
      let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
      let dayOfEra = shifted - era * 146_097
      let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
      let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
      let shiftedMonth = (5 * dayOfYear + 2) / 153
      let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
      switch self {
      case .day: return Double(dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
      case .month: return Double(month)
      default: return Double(yearOfEra + era * 400 + (month <= 2 ? 1 : 0))
      }
    }
  }
}
