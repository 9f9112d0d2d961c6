// The words of the page in both languages, and numbers as each writes them.
const WORDS = {
  "pt-BR": {
    title: "Quanto vende, quanto rende?", other: "English", docs: "API", plan: "Promoção planejada", sku: "SKU", mechanic: "Mecânica",
    display: "Com exposição extra na loja", depth: "Desconto", starts: "Primeiro dia", ends: "Último dia", channel: "Canal", region: "Região",
    investment: "Investimento em", all_channels: "Todos", another_channel: "Mais um?", add_channel: "Acrescentar este canal", chosen_channels: "Canais da promoção", all_regions: "Todas", by_depth: "Resultado líquido por desconto",
    by_day: "Unidades por dia", table: "Tabela de todos os descontos", units: "Unidades", added: "Unidades a mais", revenue: "Receita",
    net: "Resultado líquido", discount: "Desconto", rank: "Posição", unnamed: "mecânica desconhecida",
    known: (at) => `Vendas conhecidas até ${at.origin}; previsão até ${at.last}. Valores em ${at.currency}.`,
    found: (at) => at.found === 0 ? "Nenhum SKU encontrado." : `${at.category}, ${at.brand}, preço de lista ${at.price}`,
    many: (at) => `${at.found} SKUs; escreva parte do código, da categoria ou da marca.`,
    add: "Acrescentar", add_all: (at) => `Acrescentar ${at.count}`, clear: "Limpar", remove: (at) => `Tirar ${at.name}`,
    chosen: (at) => at.count === "1" ? "1 SKU na lista" : `${at.count} SKUs na lista`,
    one: (at) => `Um SKU: ${at.sku}; escolha-o na lista.`,
    tried: (at) => `Já tentado ${at.count > 1 ? "em todas estas categorias" : "nesta categoria"}: ${at.from} a ${at.to}`,
    untried: "Uma das categorias nunca teve esta mecânica: o efeito vem de outras.",
    range: (at) => `80 %: ${at.low} a ${at.high}`, without: (at) => `sem promoção: ${at.value}`, against: (at) => `diante de ${at.value} sem promoção`,
    after: "depois de canibalização, antecipação e investimento",
    best: (at) => `O desconto planejado de ${at.depth} é o que mais rende entre os comparados.`,
    better: (at) => `${at.depth} renderia mais: ${at.net}, em vez de ${at.planned} com ${at.now}.`,
    loses: (at) => `Nenhum dos descontos comparados se paga; o que menos perde é ${at.depth} (${at.net}).`,
    no_cost: (at) => `Custo desconhecido: a ordem é por receita a mais. A maior vem de ${at.depth} (${at.net}).`,
    weak: (at) => `Com o efeito no extremo fraco do seu intervalo de 80 %, ${at.depth} renderia mais.`,
    weak_none: "Com o efeito no extremo fraco do seu intervalo de 80 %, nenhum se pagaria.",
    strong: (at) => `Com ele no extremo forte, ${at.depth} renderia mais.`, strong_none: "Com ele no extremo forte, nenhum se pagaria.",
    both_ends: "Assim seria nos dois extremos do intervalo de 80 % do efeito.",
    beyond: "Mais fundo do que qualquer desconto já tentado nesta categoria: o efeito é o do mais fundo.",
    lines: "Linha cheia: com a promoção, com intervalo de 80 %. Tracejada: sem ela.",
    bars: "Traço: intervalo de 80 %. Em cor cheia: o desconto planejado.",
    incremental: "Receita a mais", offline: "O serviço não responde. Tente de novo.", wrong: "O plano não pode ser respondido",
    said: (at) => `${at.label}: ${at.found}. Esperado: ${at.expected}.`, within: (at) => `um dia de ${at.first} a ${at.last}, o último não antes do primeiro`,
    a_sku: "um SKU da lista", a_share: "mais de 0 e menos de 100 %", an_amount: "um valor de 0 ou mais", one_listed: "um dos que a lista mostra",
    begun: (at) => `Dias antes de ${at.first}, o primeiro previsto: ${at.over}. Os números são dos que restam: ${at.left} de ${at.all}.`,
    begun_invested: (at) => `Dias antes de ${at.first}, o primeiro previsto: ${at.over}. Vendas e ganhos são dos que restam (${at.left} de ${at.all}), mas o investimento de ${at.invested} é o da promoção inteira.`,
    nothing: "nada", nowhere: "Nada se vende ali: o canal não tem loja nessa região.",
  },
  en: {
    title: "What will it sell, what will it earn?", other: "Português", docs: "API", plan: "Planned promotion", sku: "SKU", mechanic: "Mechanic",
    display: "With extra display in the shop", depth: "Discount", starts: "First day", ends: "Last day", channel: "Channel", region: "Region",
    investment: "Investment in", all_channels: "All", another_channel: "One more?", add_channel: "Add this channel", chosen_channels: "Channels of the promotion", all_regions: "All", by_depth: "Net result by discount", by_day: "Units by day",
    table: "Table of all discounts", units: "Units", added: "Additional units", revenue: "Revenue", net: "Net result", discount: "Discount",
    rank: "Rank", unnamed: "mechanic not told",
    known: (at) => `Sales are known up to ${at.origin}; forecast up to ${at.last}. Money in ${at.currency}.`,
    found: (at) => at.found === 0 ? "No SKU found." : `${at.category}, ${at.brand}, list price ${at.price}`,
    one: (at) => `One SKU: ${at.sku}; choose it in the list.`,
    many: (at) => `${at.found} SKUs; type part of the code, the category or the brand.`,
    add: "Add", add_all: (at) => `Add ${at.count}`, clear: "Clear", remove: (at) => `Remove ${at.name}`,
    chosen: (at) => at.count === "1" ? "1 SKU on the list" : `${at.count} SKUs on the list`,
    tried: (at) => `Tried in ${at.count > 1 ? "all these categories" : "this category"} so far: ${at.from} to ${at.to}`,
    untried: "One category never tried this mechanic: its effect is taken from others.",
    range: (at) => `80 %: ${at.low} to ${at.high}`, without: (at) => `without promotion: ${at.value}`, against: (at) => `against ${at.value} without promotion`,
    after: "after cannibalisation, sales brought forward and investment",
    best: (at) => `The planned discount of ${at.depth} earns most of those compared.`,
    better: (at) => `${at.depth} would earn more: ${at.net}, not ${at.planned} as with ${at.now}.`,
    loses: (at) => `None of the discounts compared pays; ${at.depth} loses least (${at.net}).`,
    no_cost: (at) => `Cost is not known: ranked by additional revenue. ${at.depth} brings most (${at.net}).`,
    weak: (at) => `With the effect at the weak end of its 80 % range, ${at.depth} would earn most.`,
    weak_none: "With the effect at the weak end of its 80 % range, none would pay.",
    strong: (at) => `With it at the strong end, ${at.depth} would earn most.`, strong_none: "With it at the strong end, none would pay.",
    both_ends: "So it would be at both ends of the effect's 80 % range.",
    beyond: "Deeper than any discount tried in this category: the effect is that of the deepest.",
    lines: "Solid: with the promotion, with an 80 % interval. Dashed: without it.",
    bars: "Stroke: 80 % interval. In full colour: the planned discount.",
    incremental: "Additional revenue", offline: "The endpoint does not answer. Try again.", wrong: "The plan cannot be answered",
    said: (at) => `${at.label}: ${at.found}. Expected: ${at.expected}.`, within: (at) => `a day from ${at.first} to ${at.last}, the last one not before the first`,
    a_sku: "an SKU of the list", a_share: "more than 0 and less than 100 %", an_amount: "an amount of 0 or more", one_listed: "one that the list shows",
    begun: (at) => `Days before ${at.first}, the first one forecast: ${at.over}. The figures are those of the days left: ${at.left} of ${at.all}.`,
    begun_invested: (at) => `Days before ${at.first}, the first one forecast: ${at.over}. Sales and earnings are those of the days left (${at.left} of ${at.all}), but the investment of ${at.invested} is that of the whole promotion.`,
    nothing: "nothing", nowhere: "Nothing is sold there: the channel has no store in that region.",
  },
};

const asked = new URLSearchParams(location.search).get("lang") || navigator.language;
let language = asked.toLowerCase().startsWith("pt") ? "pt-BR" : "en";

export const current = () => language;
export const other = () => (language === "en" ? "pt-BR" : "en");
export const change = () => { language = other(); };
export const words = () => WORDS[language];
export const number = (value, digits = 0) => signed(new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value));
export const share = (value) => new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 }).format(value);
export const day = (text) => new Intl.DateTimeFormat(language, { timeZone: "UTC", day: "numeric", month: "short", year: "numeric" }).format(new Date(`${text}T00:00Z`));
export const shortDay = (text) => new Intl.DateTimeFormat(language, { timeZone: "UTC", day: "numeric", month: "numeric" }).format(new Date(`${text}T00:00Z`));
// With the sign of minus, at which no line breaks.
const signed = (text) => text.replace("-", "\u2212");
export const money = (value, currency, digits = 0) =>
  signed(new Intl.NumberFormat(language, { style: "currency", currency, maximumFractionDigits: digits, minimumFractionDigits: digits }).format(value));
export const shortMoney = (value, currency) =>
  signed(new Intl.NumberFormat(language, { style: "currency", currency, notation: "compact", maximumFractionDigits: 1 }).format(value));
