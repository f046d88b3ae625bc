"""What the shape of a source declaration cannot hold: it must agree with the vocabulary."""

from __future__ import annotations

from riskflag.history.declared.check_digits import CHECKED
from riskflag.history.declared.source import ContactEntry, Source, Value
from riskflag.history.declared.xml_path import column_paths
from riskflag.history.schema import AGENCIES, LINKS, Vocabulary, load_vocabulary

Place = tuple[str | int, ...]
Mistake = tuple[Place, str]


def check_source(source: Source, vocabulary: Vocabulary | None = None) -> Mistake | None:
    """The first mistake as (key path, reason), or None when the declaration is sound."""
    words = vocabulary or load_vocabulary()
    mistake = _maps(source) or _paths(source)
    for place, entry in enumerate(source.contact):
        mistake = mistake or _contact(source, entry, ("contact", place), words)
    for place, person in enumerate(source.person):
        kinds = person.kind if not isinstance(person.kind, str) else None
        where: Place = ("person", place, "kind")
        mistake = mistake or _targets(source, kinds, where, ("child", "adult"))
        if person.linkage and person.id.scheme == "person":
            reason = "linkage needs an id with a scheme of its own, such as school_ref"
            mistake = mistake or (("person", place, "linkage"), reason)
    for place, relation in enumerate(source.relationship):
        kinds = relation.kind if not isinstance(relation.kind, str) else None
        mistake = mistake or _targets(source, kinds, ("relationship", place, "kind"), LINKS)
    return mistake


def _maps(source: Source) -> Mistake | None:
    """Every map that is used is declared, and every map declared is used."""
    from riskflag.history.declared.code_maps import expression
    from riskflag.history.declared.source_files import check_pattern

    used = dict(used_maps(source))
    for name, place in used.items():
        if not source.has_map(name):
            return place, "there is no such map or code list; declare it under maps"
    for name, codes in source.maps.items():
        if name not in used:
            return ("maps", name), "no entry uses this map"
        for key in codes:
            try:
                check_pattern(expression(key) or "")
            except ValueError:
                return ("maps", name, key), "this is not a regular expression (RE2 syntax)"
    return None


def _paths(source: Source) -> Mistake | None:
    """Every column of an XML source is a path, and none leads above the file's first element."""
    if source.files.trailer is not None and source.files.format != "csv":
        return ("files", "trailer"), "a trailer belongs to format csv, and only there"
    if source.files.rows is None:
        return None
    depth = source.files.rows.count("/")
    for column in sorted(source.columns()):
        try:
            highest = max(path.up for path in column_paths(column))
        except ValueError as error:
            return ("files", "format"), str(error)
        if highest > depth:
            return ("files", "rows"), f"{column} leads above the first element"
    return None


def used_maps(source: Source) -> list[tuple[str, Place]]:
    """Every map that an entry names, and where it does."""
    found: list[tuple[str, Place]] = []
    for table in ("contact", "person", "identifier", "relationship"):
        for place, entry in enumerate(getattr(source, table)):
            for name in type(entry).model_fields:
                value = getattr(entry, name)
                if isinstance(value, Value) and value.map:
                    found.append((value.map, (table, place, name)))
                if isinstance(value, dict):
                    found += [
                        (v.map, (table, place, name, key)) for key, v in value.items() if v.map
                    ]
    return found


def _contact(
    source: Source, entry: ContactEntry, place: Place, words: Vocabulary
) -> Mistake | None:
    types = contact_types(source, entry)
    for name in types:
        if name not in words:
            return (*place, "type"), "a contact type is not in the vocabulary"
    if not types:
        return (*place, "type"), "the type needs a fixed name or a column with a map"
    if isinstance(entry.agency, str) and entry.agency not in AGENCIES:
        return (*place, "agency"), f"the agency must be one of {', '.join(AGENCIES)}"
    if entry.agency is not None and not isinstance(entry.agency, str):
        mistake = _targets(source, entry.agency, (*place, "agency"), AGENCIES)
        if mistake:
            return mistake
    for name, origin in entry.attributes.items():
        mistake = _attribute(source, types, (*place, "attributes", name), origin, words)
        if mistake:
            return mistake
    return None


def contact_types(source: Source, entry: ContactEntry) -> tuple[str, ...]:
    """Every contact type an entry can give, in the order declared."""
    if isinstance(entry.type, str):
        return (entry.type,)
    if entry.type.fixed:
        return (entry.type.fixed,)
    targets = source.map_named(entry.type.map) if entry.type.map else {}
    return tuple(dict.fromkeys(target for target in targets.values() if target))


def _attribute(
    source: Source, types: tuple[str, ...], place: Place, origin: Value, words: Vocabulary
) -> Mistake | None:
    name = str(place[-1])
    if name == "quantity":
        if not any(words[kind].quantity for kind in types):
            return place, "this contact type has no quantity"
        return None
    allowed = words.values(types, name)
    if allowed is None:
        return place, "this contact type has no such attribute"
    return _targets(source, origin, place, allowed) if allowed else None


def _targets(
    source: Source, origin: Value | None, place: Place, allowed: tuple[str, ...]
) -> Mistake | None:
    """Whatever a value can become must be one of `allowed`."""
    if origin is None:
        return None
    given = [origin.fixed] if origin.fixed else []
    if origin.map:
        given = [target for target in source.map_named(origin.map).values() if target]
    if any(value not in allowed for value in given):
        return place, f"a value must be one of {', '.join(allowed)}"
    return None


def checked_columns(source: Source) -> frozenset[str]:
    """The columns that hold an identifier with check digits: as a number it loses its zeros."""
    subjects = [entry.subject for entry in source.contact]
    subjects += [person.id for person in source.person]
    subjects += [named.person for named in source.identifier]
    subjects += [who for link in source.relationship for who in (link.person, link.related)]
    found = {one.column for one in subjects if one.scheme in CHECKED}
    for named in source.identifier:
        if named.scheme in CHECKED and named.value.column:
            found.add(named.value.column)
    return frozenset(found)
