#include "state/receipt.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "base/files.hpp"

namespace state {
namespace {

using nlohmann::ordered_json;

constexpr int version = 1;

ordered_json or_null(const std::string& text) { return text.empty() ? ordered_json() : ordered_json(text); }
std::string text_or_null(const ordered_json& json) { return json.is_null() ? "" : json.get<std::string>(); }

ordered_json side_json(const SideProof& side) {
  return {{"rows", side.digest.empty() ? ordered_json() : ordered_json(side.rows)}, {"digest", or_null(side.digest)}};
}

SideProof side_of(const ordered_json& json) {
  SideProof side;
  if (!json.at("rows").is_null()) side.rows = json.at("rows");
  side.digest = text_or_null(json.at("digest"));
  return side;
}

ordered_json moment(const std::string& lsn, const std::string& time) { return {{"lsn", lsn}, {"time", time}}; }

ordered_json scrub_json(const ScrubProof& scrub) {
  ordered_json pieces = ordered_json::array();
  for (const PieceProof& piece : scrub.pieces) {
    ordered_json json = {{"from", piece.from ? ordered_json(*piece.from) : ordered_json()}};
    json.update(moment(piece.lsn, piece.time));
    json["rows"] = piece.rows;
    if (piece.left_out > 0) json["left_out"] = piece.left_out;
    pieces.push_back(std::move(json));
  }
  const PieceProof& oldest = scrub.oldest();
  return {{"proven_since", moment(oldest.lsn, oldest.time)},
          {"touched_until", moment(scrub.lsn, scrub.time)},
          {"whole", moment(scrub.whole_lsn, scrub.whole_time)},
          {"touched", scrub.touched},
          {"read", scrub.read},
          {"source", scrub.source},
          {"shape", scrub.shape},
          {"pieces", pieces}};
}

ScrubProof scrub_of(const ordered_json& json) {
  ScrubProof scrub;
  scrub.lsn = json.at("touched_until").at("lsn");
  scrub.time = json.at("touched_until").at("time");
  scrub.whole_lsn = json.at("whole").at("lsn");
  scrub.whole_time = json.at("whole").at("time");
  scrub.touched = json.at("touched");
  scrub.read = json.at("read");
  scrub.source = json.at("source");
  scrub.shape = json.at("shape");
  for (const ordered_json& piece : json.at("pieces")) {
    PieceProof out{std::nullopt, piece.at("lsn"), piece.at("time"), piece.at("rows"),
                   piece.value("left_out", uint64_t{0})};
    if (!piece.at("from").is_null()) out.from = piece.at("from").get<int64_t>();
    scrub.pieces.push_back(std::move(out));
  }
  (void)json.at("pieces").at(0);  // there is one
  return scrub;
}

ordered_json proof_json(const TableProof& proof) {
  ordered_json last;
  if (!proof.equal_lsn.empty()) last = {{"lsn", proof.equal_lsn}, {"time", proof.equal_time}};
  return {{"equal", proof.equal},
          {"why", or_null(proof.why)},
          {"lsn", or_null(proof.lsn)},
          {"time", proof.time},
          {"digest", or_null(proof.digest)},
          {"columns", proof.columns},
          {"primary", side_json(proof.primary)},
          {"standby", side_json(proof.standby)},
          {"left_out", proof.left_out},
          {"last_equal", last},
          {"scrub", proof.scrub ? scrub_json(*proof.scrub) : ordered_json()}};
}

TableProof proof_of(const ordered_json& json) {
  TableProof proof;
  proof.equal = json.at("equal");
  proof.why = text_or_null(json.at("why"));
  proof.lsn = text_or_null(json.at("lsn"));
  proof.time = json.at("time");
  proof.digest = text_or_null(json.at("digest"));
  proof.columns = json.at("columns").get<std::vector<std::string>>();
  proof.primary = side_of(json.at("primary"));
  proof.standby = side_of(json.at("standby"));
  if (const ordered_json& last = json.at("last_equal"); !last.is_null()) {
    proof.equal_lsn = last.at("lsn");
    proof.equal_time = last.at("time");
  }
  if (json.contains("left_out")) proof.left_out = json.at("left_out");
  // A receipt of a version that had none is one of tables that are to be read whole.
  if (json.contains("scrub") && !json.at("scrub").is_null()) proof.scrub = scrub_of(json.at("scrub"));
  return proof;
}

ordered_json run_json(const VerifyRun& run) {
  return {{"started", run.started}, {"ended", or_null(run.ended)}, {"lsn", or_null(run.lsn)}, {"exact", run.exact},
          {"result", run.result},   {"why", or_null(run.why)},     {"tables", run.tables}};
}

VerifyRun run_of(const ordered_json& json) {
  VerifyRun run;
  run.started = json.at("started");
  run.ended = text_or_null(json.at("ended"));
  run.lsn = text_or_null(json.at("lsn"));
  run.exact = json.at("exact");
  run.result = json.at("result");
  run.why = text_or_null(json.at("why"));
  run.tables = json.at("tables").get<std::vector<std::string>>();
  return run;
}

}  // namespace

uint64_t ScrubProof::left_out() const {
  uint64_t out = 0;
  for (const PieceProof& piece : pieces) out += piece.left_out;
  return out;
}

const PieceProof& ScrubProof::oldest() const { return *std::ranges::min_element(pieces, {}, &PieceProof::time); }

std::filesystem::path receipt_path(const std::filesystem::path& state) { return state / "verify.json"; }

std::string receipt_text(const Receipt& receipt) {
  ordered_json nodes = ordered_json::object();
  for (const auto& [name, node] : receipt) {
    ordered_json tables = ordered_json::object();
    for (const auto& [table, proof] : node.tables) tables[table] = proof_json(proof);
    nodes[name] = {{"systems", {{"primary", node.primary_system}, {"standby", node.standby_system}}},
                   {"run", run_json(node.run)},
                   {"tables", tables}};
  }
  // A message may quote what a server sent; it must not cost us the receipt.
  return ordered_json({{"version", version}, {"nodes", nodes}})
             .dump(2, ' ', false, ordered_json::error_handler_t::replace) +
         "\n";
}

Receipt parse_receipt(const std::string& text, const std::string& name) {
  try {
    const ordered_json json = ordered_json::parse(text);
    if (json.at("version") != version)
      throw base::Error(base::Exit::data, name + " was written by another version of pgtandem; remove it, and verify");
    Receipt receipt;
    for (const auto& [key, value] : json.at("nodes").items()) {
      NodeReceipt& node = receipt[key];
      node.primary_system = value.at("systems").at("primary");
      node.standby_system = value.at("systems").at("standby");
      node.run = run_of(value.at("run"));
      for (const auto& [table, proof] : value.at("tables").items()) node.tables[table] = proof_of(proof);
    }
    return receipt;
  } catch (const nlohmann::json::exception&) {
    throw base::Error(base::Exit::data, name + " is damaged; remove it, and verify all tables");
  }
}

Receipt read_receipt(const std::filesystem::path& state) {
  const std::filesystem::path file = receipt_path(state);
  const std::optional<std::string> text = base::read_file(file);
  return text ? parse_receipt(*text, file.string()) : Receipt();
}

void write_receipt(const std::filesystem::path& state, const Receipt& receipt) {
  base::make_directories(state);
  base::replace_file(receipt_path(state), receipt_text(receipt), base::Durable::yes);
}

void add_proof(NodeReceipt& receipt, const std::string& table, TableProof proof) {
  TableProof& entry = receipt.tables[table];
  proof.equal_lsn = proof.equal ? proof.lsn : entry.equal_lsn;
  proof.equal_time = proof.equal ? proof.time : entry.equal_time;
  entry = std::move(proof);
}

void go_on_for(NodeReceipt& receipt, const std::string& primary_system, const std::string& standby_system,
               const std::vector<std::string>& synced) {
  if (receipt.primary_system != primary_system || receipt.standby_system != standby_system) receipt.tables.clear();
  receipt.primary_system = primary_system;
  receipt.standby_system = standby_system;
  std::erase_if(receipt.tables,
                [&](const auto& entry) { return std::ranges::find(synced, entry.first) == synced.end(); });
}

}  // namespace state
