/* Each check: how often it was really evaluated, what it found, and which mutants prove that it can fail. */
function evaluations() {
  const sums = {};
  for (const {document: content} of data.documents)
    if (content.document !== "check") // its steps have documents of their own
      for (const [check, count] of Object.entries(content.evaluated ?? {})) sums[check] = (sums[check] ?? 0) + count;
  return sums;
}

function checksSection() {
  const counts = evaluations(), hasCounts = Object.keys(counts).length > 0, findings = allFindings();
  const killed = ofKind("mutants").flatMap(entry => entry.document.mutants).filter(mutant => mutant.killed_by);
  const kills = check => killed.filter(mutant => mutant.killed_by.check === check.check).length;
  const found = check => findings.filter(finding => finding.check === check.check && !finding.isNote).length;
  const evaluated = check => !hasCounts ? "no data" : counts[check.check] ? number(counts[check.check]) : badge("never", "weak");
  return [
    element("p", {class: "quiet"}, "A check that was never evaluated has proved nothing. Evaluations are those of replays and campaigns in the folders; a check whose condition did not arise does not count."),
    table("Checks", [
      {name: "check", value: check => check.check}, {name: "severity", value: check => check.severity},
      {name: "evaluated", number: true, value: check => counts[check.check] ?? 0, show: evaluated},
      {name: "findings", number: true, value: found},
      {name: "mutants killed", number: true, value: kills, show: check => killed.length ? String(kills(check)) : "no data"},
      {name: "asserts that", wide: true, value: check => check.asserts}], data.checks)];
}
