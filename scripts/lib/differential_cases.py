"""Makes templates, and events for them, from a seed: all of the subset, in all mixtures, mostly of matching types."""

import json
import random

WORDS = ["a", "b", "ab", "Hello", "hello big world", "x y", "", " ", "  pad ", "A-b_c", "a,b,,c", "1", "12.50", "-3", "true",
         "false", "e", "l", "click event", "<b>&amp;'\"</b>", "a/b?c=d&e f", "]]>-->", "</script><!--", "tab\tend", "line\n",
         "cr\r\nlf\n", "ünï", "日本語", "😀x", "2022-10-24", "a.b.c", "..dots..", "\\back", "$1", "{}", "K", "Straße", "ǆ"]
PATTERNS = ["[a-z]+", "a", "(.)(.)", "\\\\d+", "[0-9]", "\\\\s", "l+", "^a", "o$", "x*", "(a|b)c?", "[^a-z ]", ".", "\\\\w+", "a.c",
            "(l)(o)?", "\\\\.", "[.-]", "e|l"]
FORMATS = ["0", "0.00", "0.##", "#,##0.00", "#.##", "000", "#", "0.0##", "computer", "c", "percent", "currency", "number",
           "0.00%", "'n='0", "#,##0.###", "0.#;(0.#)", "#,####0", "00.0", "#.00", ",000", "0.", "#.#"]
DATES = ["yyyy-MM-dd", "yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'", "EEE, d MMM yyyy hh:mm a z", "EEEE MMMM dd, yyyy",
         "HH:mm", "yy/M/d", "short", "medium", "long", "full", "iso", "xs", "iso_ms", "iso_nz", "iso_m_u", "D u k K", "MMM d",
         "h:mm a", "yyyyMMddHHmmss", "SSS", "ss.S", "XXX", "Z", "short_long", "''yy''", "medium_short", "xs_ms", "iso_fz"]
STAMPS = [("2022-10-24 20:07:32.123", "yyyy-MM-dd HH:mm:ss.SSS"), ("2022-10-24", "yyyy-MM-dd"), ("24.10.2022", "dd.MM.yyyy"),
          ("2022-10-24T20:07:32Z", "iso"), ("2022-10-24T20:07:32.5+02:00", "xs"), ("20221024", "yyyyMMdd"),
          ("Oct 5, 2021 3:04 PM", "MMM d, yyyy h:mm a"), ("2000-02-29 00:00", "yyyy-MM-dd HH:mm"), ("x", "yyyy"),
          ("2022-10-24 20:07:32.123456", "yyyy-MM-dd HH:mm:ss"), ("2022-1-2", "yyyy-MM-dd"), ("1999-12-31T23:59:59.9999Z", "iso")]
NUMBERS = ["0", "1", "2", "3", "7", "10", "0.5", "1.5", "2.5", "2.675", "1.005", "1000000", "1234567.891", "0.000123", "12345678901234",
           "99.995", "0.1", "100", "1e3", "0.125"]
SPACES = ["", "", "", " ", "  ", "\n", "\n\n", "\t", "\r\n", "\n  ", "  \n", "x", "-", ",", '",\n', '\n  "k": ', "\n\n  \n", " \t "]
ISO = ["iso_utc", "iso_utc_ms", "iso_utc_m", "iso_utc_h_nz", "iso_local", "iso_local_ms_nz", "iso_utc_nz", "iso_local_h"]


def quoted(text, quote='"'):
    out = text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    out = out.replace("${", "$\\{").replace("#{", "#\\{")
    return quote + out.replace(quote, "\\" + quote) + quote


class Cases:
    """An endless run of cases."""

    def __init__(self, seed, fixtures):
        self.random = random.Random(seed)
        self.known = []
        for name in ("corpus.jsonl", "generated.jsonl"):
            with open(fixtures / name, encoding="utf-8") as lines:
                self.known += [json.loads(line)["template"] for line in lines]

    def next(self):
        roll = self.random.random()
        event = self.event()
        if roll < 0.08:
            template = self.mutated()
        else:
            template = Maker(self.random, event).template()
        return {"template": template, "event": json.dumps(event, ensure_ascii=self.chance(0.5))}

    def chance(self, part):
        return self.random.random() < part

    def mutated(self):
        """A known template, cut, doubled or spliced."""
        pick = self.random
        template = pick.choice(self.known)
        for _ in range(pick.randint(1, 2)):
            start = pick.randrange(len(template) + 1)
            end = min(len(template), start + pick.choice([0, 1, 1, 2, 5, 12]))
            other = pick.choice(self.known)
            at = pick.randrange(len(other) + 1)
            new = pick.choice(["", "", other[at : at + pick.randint(1, 15)], pick.choice("<>#{}()[]!?.,\"'/ \n@-+="), template[start:end] * 2])
            template = template[:start] + new + template[end:]
        return template

    def event(self):
        pick = self.random
        text = lambda: pick.choice(WORDS)
        number = lambda: pick.choice([0, 1, -1, 3, 41, 12.5, -0.5, 1234567.891, 12345678901234, 0.1, 1e-5, 2.675, 25000])
        stamp, _ = pick.choice(STAMPS)
        event = {
            "event_type": pick.choice(["click event", "view", text()]),
            "event_time": stamp,
            "user_id": pick.choice(["some user id", text(), None]),
            "user_properties": {"email": text(), "age": number(), "tags": [text() for _ in range(pick.randint(0, 4))], "plan": text()},
            "event_properties": {
                "price": number(), "qty": number(), "paid": pick.choice([True, False]), "nul": None, "empty": [],
                "items": [{"sku": text(), "n": number()} for _ in range(pick.randint(0, 3))], "note": text() + text(),
                "mixed": [1, "a", None, True, [2, 3], {"k": "v"}],
            },
            "numbers": [number() for _ in range(pick.randint(0, 5))],
            "session_id": number(), "device_id": None, "groups": {}, "country": text(), "$insert_id": "abc-1", "insert id": "sp", "city": "",
        }
        if self.chance(0.2):
            del event["user_properties"]
        return event


class Maker:
    """One template."""

    def __init__(self, pick, event):
        self.pick = pick
        self.event = event
        self.loops = []
        self.assigned = {"text": [], "number": [], "sequence": []}
        self.macros = []
        self.in_macro = False
        self.wrong = pick.random() < 0.3

    def chance(self, part):
        return self.pick.random() < part

    def one(self, *choices):
        return self.pick.choice(choices)()

    def template(self):
        out = "<#ftl>\n" if self.chance(0.02) else ""
        if self.chance(0.1):
            out += f'<#setting number_format="{self.pick.choice(FORMATS)}">' + self.space()
        if self.chance(0.1):
            out += self.pick.choice(['<#setting boolean_format="c">', '<#setting boolean_format="Y,N">', '<#setting datetime_format="iso">',
                                     '<#setting date_format="yyyy/MM/dd">', '<#setting time_zone="GMT+02:00">', '<#setting datetime_format="short">'])
        return out + self.block(self.pick.choice([1, 2, 2, 3, 3, 4]))

    def space(self):
        return self.pick.choice(SPACES)

    def block(self, depth):
        parts = []
        for _ in range(self.pick.choice([1, 1, 2, 2, 3, 4])):
            parts.append(self.space())
            parts.append(self.part(depth))
        parts.append(self.space())
        return "".join(parts)

    def part(self, depth):
        if depth <= 0 or self.chance(0.45):
            return self.output()
        return self.one(
            self.condition, self.condition, self.listing, self.listing, self.listing, self.assign, self.assign, self.switch, self.comment,
            self.compress, self.attempt, self.trim, self.noparse, self.escape, self.macro, self.call, self.capture, self.items, self.digits,
            self.hash_list, self.stray,
        )

    def output(self):
        roll = self.pick.random()
        if self.wrong and roll < 0.05:
            return "${" + self.one(self.boolean, self.sequence, self.hash) + "}"
        kinds = [self.text, self.text, self.text, self.number, self.number, self.shown_boolean, self.date_text]
        return "${" + self.blank() + self.one(*kinds) + self.blank() + "}"

    def blank(self):
        return self.pick.choice(["", "", "", "", " ", "\n", "<#-- c -->"])

    def stray(self):
        return self.pick.choice(["$", "{", "}", "<", "#", "$x", "<#", "</", "[#if]", "[=1]", "<!--x-->", "<#-- y -->", "a$b", "<a href='#'>", "${'$'}"])

    def comment(self):
        return self.pick.choice(["<#-- c -->", "<#-- c \n-->", "<#-- ${x} <#if> -->", "<#---->"])

    def trim(self):
        return self.pick.choice(["<#t>", "<#lt>", "<#rt>", "<#nt>", "<#t/>", "<#flush>"])

    def noparse(self):
        return "<#noparse>" + self.space() + "${x}<#if>" + self.space() + "</#noparse>"

    def digits(self):
        return "#{" + self.number() + self.pick.choice(["", "; m2", "; M3", "; m1M4", ";m0M0"]) + "}"

    def inner(self, depth=None):
        return self.block(1 if depth is None else depth)

    def condition(self):
        out = f"<#if {self.boolean()}>" + self.inner()
        while self.chance(0.25):
            out += f"<#elseif {self.boolean()}>" + self.inner()
        if self.chance(0.4):
            out += self.pick.choice(["<#else>", "<#else>", "<#else/>"]) + self.inner()
        return out + "</#if>"

    def listing(self):
        name = self.pick.choice(["it", "x", "i"])
        out = f"<#list {self.sequence()} as {name}>"
        self.loops.append(name)
        out += self.inner()
        out += self.pick.choice([
            "", "", f"${{{name}?index}}", f"${{{name}?counter}}", f"${{{name}?has_next?c}}", f"${{{name}_index}}", f"<#if {name}_has_next>,</#if>",
            f"<#if {name}?is_last><#break></#if>", f"<#if {name}?index == 1><#continue></#if>z", f"${{{name}?item_parity}}",
            f"${{{name}?item_cycle('a','b')}}", f"<#if {name}?is_string>${{{name}}}</#if>", f"${{{name}?is_first?string('f','n')}}",
            f"<#if {name}?is_number>${{{name}}}</#if>", f"${{{name}?is_odd_item?c}}",
        ])
        if self.chance(0.3):
            out += "<#sep>" + self.space() + "," + self.space() + self.pick.choice(["", "</#sep>"])
        self.loops.pop()
        if self.chance(0.25):
            out += "<#else>" + self.inner(0)
        return out + "</#list>"

    def hash_list(self):
        out = f"<#list {self.hash()} as k, v>${{k}}" + self.space()
        out += self.pick.choice(["", "${v?is_string?c}", "${k?index}", "<#if v??>y</#if>", "${v!'null'?is_string?c}", "${(v?is_number)!?c}"])
        out += self.pick.choice(["", "<#sep>, ", "<#sep>\n</#sep>"])
        return out + self.pick.choice(["</#list>", "<#else>none</#list>"])

    def items(self):
        return f"<#list {self.sequence()}>" + self.space() + "<#items as it>" + self.inner(0) + self.pick.choice(["", "<#sep>,</#sep>"]) + "</#items>" \
            + self.space() + self.pick.choice(["", "<#else>none"]) + "</#list>"

    def assign(self):
        kind = self.pick.choice(["text", "number", "sequence"])
        name = {"text": "v", "number": "n", "sequence": "s"}[kind]
        value = getattr(self, kind)()
        tag = self.pick.choice(["assign", "assign", "assign", "global"])
        if self.in_macro and self.chance(0.4):
            tag = "local"
        out = f"<#{tag} {name} = {value}>"
        if kind == "number" and self.chance(0.4):
            out += self.pick.choice([f"<#{tag} n += 2>", f"<#{tag} n++>", f"<#{tag} n *= 3 n -= 1>", f"<#{tag} n--, m = n>", f"<#{tag} n /= 4/>"])
        if kind == "text" and self.chance(0.2):
            out += f"<#{tag} v += 'x'>"
        self.assigned[kind].append(name)
        return out

    def capture(self):
        self.assigned["text"].append("w")
        return "<#assign w>" + self.inner(0) + "</#assign>" + self.space() + "[${w}]"

    def switch(self):
        kind = self.pick.choice(["text", "number"])
        make = getattr(self, kind)
        out = f"<#switch {make()}>" + self.pick.choice(["", "\n", "  "])
        for _ in range(self.pick.randint(0, 3)):
            out += f"<#case {make()}>" + self.inner(0) + self.pick.choice(["<#break>", "<#break>", ""]) + self.pick.choice(["", "\n"])
        if self.chance(0.6):
            out += "<#default>" + self.inner(0)
            if self.chance(0.2):
                out += f"<#case {make()}>" + self.inner(0)
        return out + "</#switch>"

    def compress(self):
        return "<#compress>" + self.inner() + "</#compress>"

    def attempt(self):
        return "<#attempt>" + self.inner() + "<#recover>" + self.inner(0) + self.pick.choice(["</#attempt>", "</#recover>"])

    def escape(self):
        body = self.pick.choice(["x?json_string", "x?html", "x?upper_case", "'<' + x + '>'", "x!'none'", "(x)!'none'"])
        return f"<#escape x as {body}>" + self.inner(0) + self.pick.choice(["", "<#noescape>" + self.output() + "</#noescape>"]) + "</#escape>"

    def macro(self):
        if self.in_macro or self.loops:
            return self.output()
        name = self.pick.choice(["m1", "m2", "m3"])
        self.in_macro = True
        out = f"<#macro {name}" + self.pick.choice(["", ' p="d"', " p=1", " p q=2", " p, q=p"]) + ">" + self.inner(0)
        out += self.pick.choice(["", "${p!}", "<#nested>", "<#if p??><#return></#if>z", "${p!}<#nested/>"]) + "</#macro>"
        self.in_macro = False
        self.macros.append(name)
        return out + self.space() + self.call()

    def call(self):
        if not self.macros or self.in_macro:
            return self.output()
        name = self.pick.choice(self.macros)
        args = self.pick.choice(["", "", ' p="q"', " 1", ' p=1 q="z"', " 'a' 'b'", " p=(1)!0"])
        return self.pick.choice([f"<@{name}{args}/>", f"<@{name}{args}></@{name}>", f"<@{name}{args}>" + self.inner(0) + "</@>", f"<@{name}{args} />"])

    # Expressions, by type.

    def path(self, kind):
        paths = {
            "text": ["input.event_type", "input.event_time", "input.user_id!", "(input.user_properties.email)!'none'", "input.country", "input.city",
                     "input.event_properties.note", 'input["$insert_id"]', "input['insert id']", "input.$insert_id", "input.nope!'dv'", "input.device_id!'d'",
                     "(input.a.b)!'d'", "(input.user_properties.plan)!", "(input.event_properties.items[0].sku)!'s'"],
            "number": ["input.event_properties.price", "input.event_properties.qty", "(input.user_properties.age)!7", "input.session_id", "input.nope!7",
                       "(input.numbers[0])!1", "input.numbers?size", "(input.event_properties.items[1].n)!0"],
            "sequence": ["input.numbers", "(input.user_properties.tags)![]", "input.event_properties.items", "input.event_properties.empty", "input.nope![]",
                         "input.numbers", "(input.user_properties.tags)![]", "input.event_properties.mixed", "input?keys", "input.event_properties?values",
                         "input.nope!"],
            "hash": ["input", "input.event_properties", "(input.user_properties)!{}", "input.groups", "input.nope!{}", '{"a": 1, "b": "x"}', "{}"],
        }
        if self.chance(0.03):
            return self.pick.choice(["input.nope", "input.a.b", "nope", "input.device_id", "input.event_properties.nul"])
        return self.pick.choice(paths[kind])

    def literal(self):
        word = self.pick.choice(WORDS)
        roll = self.pick.random()
        if roll < 0.1 and "'" not in word and '"' not in word:
            return f"r'{word}'"
        if roll < 0.25:
            return '"' + quoted(word)[1:-1] + self.pick.choice(["${1+1}", "${input.event_type}", "#{1.5}", "${'in'}", "$"]) + '"'
        return quoted(word, self.pick.choice(['"', "'"]))

    def text(self, depth=2):
        if self.wrong and self.chance(0.03):
            return self.one(self.number, self.sequence, self.boolean, self.hash)
        choices = [lambda: self.path("text"), self.literal]
        if self.assigned["text"]:
            choices.append(lambda: self.pick.choice(self.assigned["text"]))
        if self.loops:
            choices.append(lambda: f"({self.loops[-1]}?is_string)?then({self.loops[-1]}, 'n')")
        if depth > 0:
            choices += [lambda: self.text_of(depth - 1)] * 6
        return self.one(*choices)

    def operand(self, depth):
        text = self.text(depth)
        simple = text.replace("_", "").replace(".", "").replace("$", "").isalnum() or (text[:1] in "'\"" and text[-1:] == text[:1])
        return text if simple and self.chance(0.7) else f"({text})"

    def text_of(self, depth):
        a = self.operand(depth)
        flag = lambda: self.pick.choice(["", "", ", 'r'", ", 'i'", ", 'ri'", ", 'f'", ", 'rf'"])
        b = lambda: self.text(0)
        n = lambda: self.pick.choice(["0", "1", "2", "3", "5", "10", "20"])
        pattern = lambda: f'"{self.pick.choice(PATTERNS)}"'
        return self.one(
            lambda: f"{a}?{self.pick.choice(['upper_case', 'lower_case', 'cap_first', 'uncap_first', 'capitalize', 'trim', 'chop_linebreak'])}",
            lambda: f"{a}?{self.pick.choice(['json_string', 'js_string', 'j_string', 'html', 'xhtml', 'xml', 'rtf', 'url', 'url_path'])}",
            lambda: f"{a}?{self.pick.choice(['url', 'url_path'])}('UTF-8')",
            lambda: f"{a}?{self.pick.choice(['keep_before', 'keep_before_last', 'keep_after', 'keep_after_last'])}({b()}{flag()})",
            lambda: f"{a}?{self.pick.choice(['keep_before', 'keep_before_last', 'keep_after', 'keep_after_last'])}({pattern()}, 'r')",
            lambda: f"{a}?{self.pick.choice(['remove_beginning', 'remove_ending', 'ensure_starts_with', 'ensure_ends_with'])}({b()})",
            lambda: f"{a}?ensure_starts_with({pattern()}, {b()})",
            lambda: f"{a}?replace({b()}, {b()}{flag()})",
            lambda: f"{a}?replace({pattern()}, {self.pick.choice(['x', '[$0]', '$1', '<$1$2>', ''])!r}, '{self.pick.choice(['r', 'rf', 'ri', 'rs'])}')",
            lambda: f"{a}?split({b()}{flag()})?join('|')",
            lambda: f"{a}?split({pattern()}, 'r')?join('|')",
            lambda: f"{a}?matches({pattern()})?join(';', 'none')",
            lambda: f"{a}?word_list?join('|')",
            lambda: f"{a}?{self.pick.choice(['left_pad', 'right_pad'])}({n()}{self.pick.choice(['', ', `-`', ', `ab`', ', `.:!`'])})".replace("`", "'"),
            lambda: f"{a}?{self.pick.choice(['truncate', 'truncate_w', 'truncate_c'])}({n()}{self.pick.choice(['', ', `…`', ', `..`', ', ``', ', `~`, 3'])})".replace("`", "'"),
            lambda: f"{a}?substring({n()})",
            lambda: f"{a}?substring({n()}, {n()})",
            lambda: f"{a}[{self.pick.choice(['0', '1', '0..1', '1..', '0..<2', '1..*3', '0..!1', '2..1', '0..'])}]",
            lambda: f"{a} + {self.text(depth)}",
            lambda: f"{a} + {self.number()}",
            lambda: f"{self.sequence()}?join({self.pick.choice(['`,`', '`, `, `none`', '`-`, ``, `!`'])})".replace("`", "'"),
            lambda: f"{self.boolean()}?then({b()}, {b()})" if self.chance(0.3) else f"({self.boolean()})?then({b()}, {b()})",
            lambda: f"({self.boolean()})?string({b()}, {b()})",
            lambda: f"{a}?switch({b()}, {b()}, {b()}, {b()}, 'dflt')",
            lambda: f"({self.sequence()})?{self.pick.choice(['first', 'last'])}!'none'",
            lambda: f"({self.number()})?{self.pick.choice(['string', 'c'])}",
            lambda: f"({self.number()})?string({self.pick.choice(FORMATS)!r})" if self.chance(0.9) else f"({self.number()})?string.number",
            lambda: f'({self.number()})?string["{self.pick.choice(FORMATS)}"]',
            lambda: f"{a}?default({b()})",
            lambda: f"({self.path('text')})!{b()}",
            lambda: f"{a}!{b()}",
            lambda: f"{a}?string",
            lambda: f"({n()})?{self.pick.choice(['lower_abc', 'upper_abc'])}",
        )

    def number(self, depth=2):
        if self.wrong and self.chance(0.03):
            return self.text()
        choices = [lambda: self.path("number"), lambda: self.pick.choice(NUMBERS[:-3] + ["-" + n for n in NUMBERS[:8]])]
        if self.assigned["number"]:
            choices.append(lambda: "n")
        if depth > 0:
            choices += [lambda: self.number_of(depth - 1)] * 4
        return self.one(*choices)

    def number_of(self, depth):
        a, b = f"({self.number(depth)})", self.number(depth)
        return self.one(
            lambda: f"{a} {self.pick.choice(['+', '-', '*', '/', '%'])} ({b})",
            lambda: f"{a} {self.pick.choice(['+', '-', '*', '/', '%'])} {b}",
            lambda: f"{a}?{self.pick.choice(['round', 'floor', 'ceiling', 'abs', 'int', 'long', 'double'])}",
            lambda: f"-{a}",
            lambda: f"({self.text(0)})?length",
            lambda: f"({self.text(0)})?{self.pick.choice(['index_of', 'last_index_of'])}({self.text(0)}{self.pick.choice(['', ', 1', ', 3'])})",
            lambda: f"({self.sequence()})?size",
            lambda: f"({self.sequence()})?{self.pick.choice(['seq_index_of', 'seq_last_index_of'])}({self.text(0)}{self.pick.choice(['', ', 1'])})",
            lambda: f"'{self.pick.choice(NUMBERS)}'?number",
            lambda: f"({self.date()})?long",
            lambda: f"({self.numbers()})?{self.pick.choice(['min', 'max'])}!0",
        )

    def numbers(self):
        return self.pick.choice(["input.numbers", "[3, 1, 2]", "[1.5, -2, 10]", "1..4", "[]", "[2, 10, 1]?sort", "0..<3"])

    def boolean(self, depth=2):
        if self.wrong and self.chance(0.03):
            return self.one(self.text, self.number)
        choices = [lambda: self.pick.choice(["true", "false", "input.event_properties.paid", "input.user_id??", "(input.a.b)??", "input.nope??", "input??"])]
        if depth > 0:
            choices += [lambda: self.boolean_of(depth - 1)] * 4
        return self.one(*choices)

    def boolean_of(self, depth):
        operator = self.pick.choice(["==", "!=", "=", "lt", "gt", "lte", "gte", "<", "<=", "&lt;", "&gt;="])
        equal = self.pick.choice(["==", "!=", "="])
        test = self.pick.choice(["is_string", "is_number", "is_boolean", "is_sequence", "is_hash", "is_hash_ex", "is_enumerable", "is_indexable", "is_date",
                                 "is_date_like", "is_macro", "is_method", "is_node", "is_directive", "is_transform"])
        return self.one(
            lambda: f"{self.number(depth)} {operator} {self.number(depth)}",
            lambda: f"({self.number(depth)} > {self.number(depth)})",
            lambda: f"({self.number(depth)} >= {self.number(depth)})",
            lambda: f"{self.operand(depth)} {equal} {self.operand(depth)}",
            lambda: f"{self.boolean(depth)} && {self.boolean(depth)}",
            lambda: f"({self.boolean(depth)} || {self.boolean(depth)})",
            lambda: f"{self.boolean(depth)} {self.pick.choice(['&', '|', '&amp;&amp;'])} {self.boolean(depth)}",
            lambda: f"!({self.boolean(depth)})",
            lambda: f"{self.operand(depth)}?{self.pick.choice(['contains', 'starts_with', 'ends_with'])}({self.text(0)})",
            lambda: f"{self.operand(depth)}?has_content",
            lambda: f"({self.one(self.sequence, self.hash, self.text, self.number)})?{self.pick.choice(['has_content', 'exists'])}",
            lambda: f"({self.one(self.sequence, self.hash, self.text, self.number, self.date)})?{test}",
            lambda: f"({self.sequence()})?seq_contains({self.one(self.text, self.number)})",
            lambda: f'({self.operand(depth)})?matches("{self.pick.choice(PATTERNS)}")',
            lambda: f"'{self.pick.choice(['true', 'false', 'x', ' true'])}'?boolean",
            lambda: f"{self.date()} {operator} {self.date()}",
        )

    def shown_boolean(self):
        value = f"({self.boolean()})"
        return value + self.pick.choice(["?c", "?c", "?string('y','n')", "?string", "?then(1, 2)"])

    def sequence(self, depth=2):
        if self.wrong and self.chance(0.03):
            return self.one(self.text, self.number, self.hash)
        choices = [lambda: self.path("sequence"),
                   lambda: self.pick.choice(["[]", "[1, 2, 3]", "['b', 'a', 'C']", "[3 1 2]", "1..3", "0..<2", "3..1", "5..*3", "0..!2", "['x']", "[[1, 2], [3]]",
                                             "['a b', 'ab', 'A', '-a', 'b_']"]),
                   lambda: f"[{self.text(1)}, {self.number(1)}]", lambda: f"({self.text(1)})?split({self.text(0)})"]
        if self.assigned["sequence"]:
            choices.append(lambda: "s")
        if depth > 0:
            choices += [lambda: self.sequence_of(depth - 1)] * 3
        return self.one(*choices)

    def sequence_of(self, depth):
        a = f"({self.sequence(depth)})"
        return self.one(
            lambda: f"{a}?reverse",
            lambda: f"{a}?sort",
            lambda: f"input.event_properties.items?sort_by('{self.pick.choice(['n', 'sku', 'x'])}')",
            lambda: f"{a}?map(x -> {self.pick.choice(['x?string', 'x?is_string?c', '1', 'x!', 'x', '(x?length)!0', 'x + 1', '[x]'])})",
            lambda: f"{a}?filter({self.pick.choice(['x -> x?is_string', '(x) -> x??', 'y -> true', 'x -> x?is_number && x > 1', 'x -> x?has_content'])})",
            lambda: f"{a}?{self.pick.choice(['take_while', 'drop_while'])}(x -> x?is_number && x < 3)",
            lambda: f"{a} + {self.sequence(depth)}",
            lambda: f"{a}[{self.pick.choice(['0..1', '1..', '0..<1', '0..*2', '1..*5', '1..0', '0..'])}]",
            lambda: f"{a}?chunk({self.pick.choice(['2', '3, `-`', '1'])})?first![]".replace("`", "'"),
            lambda: f"({self.hash()})?{self.pick.choice(['keys', 'values'])}",
            lambda: f"({self.text(0)})?word_list",
            lambda: f'({self.text(0)})?matches("{self.pick.choice(PATTERNS)}")',
        )

    def hash(self):
        if self.chance(0.3):
            return f"({self.path('hash')} + {self.path('hash')})"
        if self.chance(0.2):
            return "{" + f"{self.literal()}: {self.number(0)}, 'k': {self.text(0)}" + "}"
        return self.path("hash")

    def date(self):
        stamp, pattern = self.pick.choice(STAMPS)
        kind = self.pick.choice(["date", "datetime", "datetime", "time"])
        if pattern in ("iso", "xs"):
            return f"'{stamp}'?{kind}.{pattern}"
        if self.chance(0.2):
            return f"{self.pick.choice(['0', '1666642052123', '1666642052', '-1', '951782400000'])}?number_to_{kind}"
        made = f"'{stamp}'?{kind}(\"{pattern}\")"
        return made + self.pick.choice(["", "", "", "?date", "?time", "?datetime"])

    def date_text(self):
        date = self.date()
        return self.one(
            lambda: date,
            lambda: f'({date})?string("{self.pick.choice(DATES)}")',
            lambda: f'({date})?string["{self.pick.choice(DATES)}"]',
            lambda: f"({date})?string.{self.pick.choice(['short', 'medium', 'long', 'full', 'iso', 'xs'])}",
            lambda: f"({date})?{self.pick.choice(ISO)}",
            lambda: f"({date})?iso('{self.pick.choice(['UTC', 'GMT+02:00', 'GMT-3'])}')",
        )
