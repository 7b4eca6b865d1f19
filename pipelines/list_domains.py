"""`retarget domains`: what domains there are."""

from pipelines.keeping.shelf import bytes_in, domains_in
from pipelines.keeping.table import age, amount, table
from pipelines.keeping_options import DomainsOptions
from pipelines.places import say


def list_domains(options: DomainsOptions) -> None:
    """Says a line a domain, the last made first."""
    domains = domains_in(options.domains)
    if not domains:
        say(f"{options.domains}: no domain in it; make one with: retarget extract VIDEO")
        return
    rows = []
    for domain in domains:
        about = ("damaged", "", "") if "trouble" in domain else (
            f"{domain['pictures']:,}", str(domain["clips"]), f"{domain['aligner']}, {domain['size']} px"
        )  # fmt: skip
        size = amount(bytes_in(options.domains / domain["name"]))
        rows.append((domain["name"], *about, size, age(domain["changed"])))
    for line in table(("domain", "pictures", "clips", "made by", "size", "age"), rows):
        say(line)
