/* Each check: what it found, and which mutants prove that it can fail. */
function checksSection() {
  const findings = allFindings();
  const killed = ofKind("mutants").flatMap(entry => entry.document.mutants).filter(mutant => mutant.killed_by);
  const kills = check => killed.filter(mutant => mutant.killed_by.check === check.check).length;
  const found = check => findings.filter(finding => finding.check === check.check && !finding.isNote).length;
  return [
    element("p", {class: "quiet"}, "A check says something only if it can fail: the mutants that it killed show that. How often a check was evaluated is not counted yet."),
    table("Checks", [
      {name: "check", value: check => check.check}, {name: "severity", value: check => check.severity},
      {name: "findings", number: true, value: found},
      {name: "mutants killed", number: true, value: kills, show: check => killed.length ? String(kills(check)) : "no data"},
      {name: "asserts that", wide: true, value: check => check.asserts}], data.checks)];
}
