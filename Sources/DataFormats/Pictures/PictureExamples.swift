// PNG and JPEG files as examples: decoded on all cores, of one size, and all grey or all in colour.
import Synchronization
import System
import Text

/// What images are made to be.
struct PictureRequest {
  /// What they are resized to; nil: they are of one size as they are.
  var size: ImageSize?
  /// 1 or 3; nil: 1 where all are grey, else 3.
  var channels: Int?
  /// What a model takes, if it is known: inputs of an example.
  var inputs: Int?
}

/// The inputs of images, before they have targets.
private struct Pictures {
  var size: ImageSize
  var channels: Int
  /// Shape (images, channels, height, width).
  var pixels: [UInt8]
  /// Images that say they are to be turned.
  var turned: Int
}

/// The images of a folder, or one.
///
/// - Parameter needsTargets: whether they must lie in folders of their classes.
/// - Throws: `badData` that names the first file with which something is wrong.
func readPictures(
  _ source: PictureSource, _ request: PictureRequest, needsTargets: Bool
) throws(DistsgdError) -> RawExamples {
  let list = try source.list(needsClasses: needsTargets)
  if case .file(let path) = source, needsTargets {
    throw DistsgdError(
      .badData,
      "\(sourceName(path)) is one image: name a folder that has a folder of images for every class")
  }
  let first = try loaded(list.paths[0], request)
  let pictures = try decode(list.paths, like: first, request)
  return examples(pictures, list, source: sourceName(source.path))
}

/// An image from memory, without a class.
func readPicture(
  _ bytes: UnsafeRawBufferPointer, source: String, _ request: PictureRequest, needsTargets: Bool
) throws(DistsgdError) -> RawExamples {
  guard !needsTargets else {
    throw DistsgdError(
      .badData, "\(source) is one image: name a folder that has a folder of images for every class")
  }
  let picture = try prepared(Picture(bytes, source: source), request)
  let channels = try channels(for: picture, request, source: source)
  var pixels = [UInt8](repeating: 0, count: picture.width * picture.height * channels)
  pixels.withUnsafeMutableBufferPointer { picture.write(to: $0, channels: channels) }
  return examples(
    Pictures(
      size: ImageSize(height: picture.height, width: picture.width)!, channels: channels, pixels: pixels,
      turned: hasOrientation(bytes) ? 1 : 0),
    PictureList(paths: [source]), source: source)
}

private func examples(_ pictures: Pictures, _ list: PictureList, source: String) -> RawExamples {
  var raw = RawExamples(
    source: source, kind: .images, count: list.paths.count,
    featureCount: pictures.pixels.count / list.paths.count,
    exampleShape: [pictures.channels, pictures.size.height, pictures.size.width],
    features: .bytes(pictures.pixels), targets: list.classes.map { $0.map(Double.init) },
    targetNames: ["class"])
  (raw.isLabelled, raw.classifier) = (true, .mlp)
  raw.targetTexts = list.classes == nil ? nil : list.classNames
  if pictures.turned > 0 {
    raw.notes.append(
      "\(pictures.turned) \(pictures.turned == 1 ? "image" : "images") of \(source) \(pictures.turned == 1 ? "has" : "have") an EXIF orientation, which is not looked at"
    )
  }
  return raw
}

private func loaded(_ path: String, _ request: PictureRequest) throws(DistsgdError) -> Picture {
  let file = try FileBytes(path)
  defer { withExtendedLifetime(file) {} }
  if PictureFormat(file.bytes) == nil, let foreign = foreignFile(file.bytes) {
    throw foreign.error(path: path)
  }
  return try prepared(Picture(file.bytes, source: sourceName(path)), request)
}

private func prepared(_ picture: Picture, _ request: PictureRequest) throws(DistsgdError) -> Picture {
  guard let size = request.size else { return picture }
  // The rows in between are sums.
  try requireMemory(
    bytes: 8 * Double(picture.height) * Double(size.width * picture.channels), for: "resizing")
  return picture.resized(to: size)
}

/// What all have: the model's number of channels, or what the first one lets hope for.
private func channels(
  for first: Picture, _ request: PictureRequest, source: String
) throws(DistsgdError) -> Int {
  guard let inputs = request.inputs else { return request.channels ?? (first.isGrey ? 1 : 3) }
  let area = first.width * first.height
  if inputs == area { return 1 }
  if inputs == 3 * area { return 3 }
  throw DistsgdError(
    .badData,
    "\(source) has \(first.width) × \(first.height) pixels: the model takes \(inputs) inputs, images of another size; resize them, or train with --image-size"
  )
}

/// Decodes all images into one array.
private func decode(
  _ paths: [String], like first: Picture, _ request: PictureRequest
) throws(DistsgdError) -> Pictures {
  let wanted = try channels(for: first, request, source: sourceName(paths[0]))
  let isFixed = request.channels != nil || request.inputs != nil
  if let pictures = try decode(paths, like: first, request, channels: wanted, isFixed: isFixed) {
    return pictures
  }
  // The first image is grey, and another is not.
  return try decode(paths, like: first, request, channels: 3, isFixed: true)!
}

/// - Parameter isFixed: colours are made grey where one channel is wanted.
/// - Returns: nil where they are not, and there is one.
private func decode(
  _ paths: [String], like first: Picture, _ request: PictureRequest, channels: Int, isFixed: Bool
) throws(DistsgdError) -> Pictures? {
  let (width, height) = (first.width, first.height)
  let row = width * height * channels
  try requireMemory(
    bytes: 2 * Double(paths.count) * Double(row), for: sourceName(paths[0]),
    instead: "fewer or smaller images"
  )
  // The first error in the order of the files is told, whatever the threads do.
  let pieces = pieceCount(paths.count, least: 4)
  var errors = [(place: Int, error: DistsgdError)?](repeating: nil, count: pieces)
  var turned = [Int](repeating: 0, count: pieces)
  let hasColour = Atomic(false)
  let pixels = [UInt8](unsafeUninitializedCapacity: paths.count * row) { buffer, initialized in
    preferLargePages(UnsafeMutableRawBufferPointer(buffer))
    errors.withUnsafeMutableBufferPointer { errors in
      turned.withUnsafeMutableBufferPointer { turned in
        inParallel(pieces) { piece in
          for place in piece * paths.count / pieces..<(piece + 1) * paths.count / pieces {
            if hasColour.load(ordering: .relaxed) { return }
            do throws(DistsgdError) {
              let file = try FileBytes(paths[place])
              defer { withExtendedLifetime(file) {} }
              let name = sourceName(paths[place])
              if PictureFormat(file.bytes) == nil, let foreign = foreignFile(file.bytes) {
                throw foreign.error(path: paths[place])
              }
              let picture = try prepared(Picture(file.bytes, source: name), request)
              guard picture.width == width, picture.height == height else {
                throw DistsgdError(
                  .badData,
                  "\(name) has \(picture.width) × \(picture.height) pixels, and \(sourceName(paths[0])) has \(width) × \(height): resize all of them with --image-size \(height == width ? "\(width)" : "\(height)x\(width)")"
                )
              }
              if channels == 1, !isFixed, !picture.isGrey {
                hasColour.store(true, ordering: .relaxed)
                return
              }
              if hasOrientation(file.bytes) { turned[piece] += 1 }
              picture.write(
                to: UnsafeMutableBufferPointer(rebasing: buffer[place * row..<(place + 1) * row]),
                channels: channels)
            } catch {
              errors[piece] = (place, error)
              return
            }
          }
        }
      }
    }
    initialized = paths.count * row
  }
  // An error may hide behind the colour that made the others stop: the second reading finds it.
  if hasColour.load(ordering: .relaxed) { return nil }
  if let first = errors.compactMap({ $0 }).min(by: { $0.place < $1.place }) { throw first.error }
  return Pictures(
    size: ImageSize(height: height, width: width)!, channels: channels, pixels: pixels,
    turned: turned.reduce(0, +))
}
