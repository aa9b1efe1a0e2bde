#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <sstream>

#include "base/error.hpp"
#include "base/utf8.hpp"
#include "config/value.hpp"

namespace config {
namespace {

// A configuration has a few hundred values. The limit stops aliases of aliases, which grow a small file without bound;
// the depth stops one that contains itself.
constexpr int max_values = 20000;
constexpr int max_depth = 32;

class Converter {
 public:
  explicit Converter(const std::string& file) : file_(file) {}

  Value convert(const YAML::Node& node, int depth) {
    if (++values_ > max_values || depth > max_depth) {
      fail(place_of(node), "the document is nested or repeated without end; write it out without aliases");
    }
    Value value;
    value.place = place_of(node);
    check_tag(node, value);
    switch (node.Type()) {
      case YAML::NodeType::Scalar:
        value.kind = Value::Kind::text;
        value.text = node.Scalar();
        break;
      case YAML::NodeType::Sequence:
        value.kind = Value::Kind::list;
        for (const auto& item : node) value.items.push_back(convert(item, depth + 1));
        break;
      case YAML::NodeType::Map:
        value.kind = Value::Kind::map;
        convert_entries(node, value, depth);
        break;
      default:
        break;
    }
    return value;
  }

 private:
  [[noreturn]] void fail(Place place, const std::string& message) const {
    throw base::Error(base::Exit::config, at(file_, place) + message);
  }

  static Place place_of(const YAML::Node& node) {
    const YAML::Mark mark = node.Mark();
    return mark.is_null() ? Place{} : Place{mark.line + 1, mark.column + 1};  // an empty file has no place
  }

  // "?" is a plain scalar, "!" one in quotes; the rest are tags somebody wrote.
  void check_tag(const YAML::Node& node, Value& value) const {
    const std::string& tag = node.Tag();
    value.quoted = tag == "!" || tag == "tag:yaml.org,2002:str";
    if (tag.empty() || tag == "?" || tag == "!" || tag.rfind("tag:yaml.org,2002:", 0) == 0) return;
    fail(value.place, "a YAML tag that means nothing here; remove it");
  }

  void convert_entries(const YAML::Node& node, Value& value, int depth) {
    std::vector<Value> merged;
    for (const auto& pair : node) {
      const Place place = place_of(pair.first);
      if (!pair.first.IsScalar()) fail(place, "a key that is no word; write KEY: VALUE");
      const std::string& key = pair.first.Scalar();
      if (key == "<<" && pair.first.Tag() == "?") {
        merged.push_back(convert(pair.second, depth + 1));
        continue;
      }
      if (const Entry* twice = find(value, key)) {
        fail(place, "this key is there twice, first in line " + std::to_string(twice->place.line) + "; remove one");
      }
      Value inner = convert(pair.second, depth + 1);
      if (inner.kind == Value::Kind::null) inner.place = place;  // yaml-cpp places an empty value in the next line
      value.entries.push_back({key, place, std::move(inner)});
    }
    for (const Value& source : merged) merge(source, value);
  }

  // `<<`: keys of another mapping, or of several, that are not given here.
  void merge(const Value& source, Value& into) const {
    for (const Value& item : source.items) merge(item, into);
    if (source.kind != Value::Kind::map && source.kind != Value::Kind::list) {
      fail(source.place, "<< takes a mapping; write <<: *NAME");
    }
    for (const Entry& entry : source.entries) {
      if (!find(into, entry.key)) into.entries.push_back(entry);
    }
  }

  static const Entry* find(const Value& map, const std::string& key) {
    const auto found =
        std::find_if(map.entries.begin(), map.entries.end(), [&](const Entry& e) { return e.key == key; });
    return found == map.entries.end() ? nullptr : &*found;
  }

  const std::string& file_;
  int values_ = 0;
};

// yaml-cpp takes any bytes, and a byte 4 for the end of the file: what stands behind it would be lost in silence.
void check_characters(const std::string& content, const std::string& file) {
  const char* const bad = base::find_bad_utf8(content.data(), content.data() + content.size());
  Place place;
  for (const char& c : content) {
    if (&c == bad) throw base::Error(base::Exit::config, at(file, place) + "not UTF-8; save the file as UTF-8");
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < ' ' && c != '\n' && c != '\r' && c != '\t') || byte == 0x7F) {
      throw base::Error(base::Exit::config, at(file, place) + "a control character; remove it");
    }
    place = c == '\n' ? Place{place.line + 1, 1} : Place{place.line, place.column + 1};
  }
}

// Remembers where the last document began.
class DocumentStart : public YAML::EventHandler {
 public:
  YAML::Mark mark;
  void OnDocumentStart(const YAML::Mark& at) override { mark = at; }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
  void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
  void OnMapEnd() override {}
};

// YAML::Load reads the first document and forgets the rest. YAML::LoadAll would do, but for a stray ", x" at the top,
// which it takes for an empty document without end and fills the memory with.
void check_one_document(const std::string& content, const std::string& file) {
  std::istringstream stream(content);
  YAML::Parser parser(stream);
  DocumentStart start;
  if (!parser.HandleNextDocument(start) || !parser.HandleNextDocument(start)) return;
  throw base::Error(base::Exit::config, at(file, {start.mark.line + 1, start.mark.column + 1}) +
                                            "a second YAML document, or text that belongs to no key; remove it");
}

// Whether there is a tab among the blanks that the line around `pos` starts with.
bool indented_with_tab(const std::string& content, int pos) {
  if (pos < 0 || content.empty()) return false;
  const size_t before = pos == 0 ? std::string::npos : content.rfind('\n', static_cast<size_t>(pos) - 1);
  const size_t start = before == std::string::npos ? 0 : before + 1;
  const size_t end = std::min(content.find_first_not_of(" \t", start), content.size());
  return content.substr(start, end - start).find('\t') != std::string::npos;
}

}  // namespace

std::string at(const std::string& file, Place place) {
  return file + ":" + std::to_string(place.line) + ":" + std::to_string(place.column) + ": ";
}

Value parse_yaml(const std::string& content, const std::string& file) {
  check_characters(content, file);
  try {
    check_one_document(content, file);
    return Converter(file).convert(YAML::Load(content), 0);
  } catch (const YAML::Exception& e) {
    // yaml-cpp's own words, cut where it may begin to quote the file: the line may hold a password.
    const Place place = e.mark.is_null() ? Place{} : Place{e.mark.line + 1, e.mark.column + 1};
    if (indented_with_tab(content, e.mark.pos)) {
      throw base::Error(base::Exit::config,
                        at(file, place) + "a tab in the indentation, which YAML forbids; use spaces");
    }
    throw base::Error(base::Exit::config, at(file, place) + "this is no YAML, " + e.msg.substr(0, e.msg.find(':')) +
                                              "; mend the quotes, brackets or indentation here or just before");
  }
}

}  // namespace config
