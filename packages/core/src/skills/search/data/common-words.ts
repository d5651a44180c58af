/**
 * Words that say little in a query, and words that are never a typo.
 *
 * To extend: add words to a list, in lower case, in any order. A word of the trade ("test", "build") belongs in
 * neither of the first two lists: how common it is among the skills decides its weight.
 */

const words = (text: string): readonly string[] => text.split(/\s+/u).filter(word => word !== '')

/** Not looked up at all, and not indexed. */
export const STOP_WORDS: readonly string[] = words(`
  a about actually after again all am an and any anybody anyone anything are arent as at
  be because been being but by can cannot cant could couldnt did didnt do does doesnt doing dont
  each either else etc ever few for from get gets getting give gives given got had hadnt has hasnt have havent having
  he hello hence her here hers hey hi him his how however i id ill im in instead into is isnt it its itself ive
  just kindly let lets like may maybe me might mine more most must my myself
  no nor not now of off ok okay on once only onto or other our ours out over own per perhaps please
  quite rather really same shall shant she should shouldnt since so some somehow someone something sometimes still such
  thank thanks that thats the their theirs them then there theres these they theyre this those through thus to too
  under until up upon us very via was wasnt we well were werent weve what whatever whats when where whether which while
  who whom whos whose why will with within without wont would wouldnt yes yet you youd youll your youre yours youve
`)

/** Looked up, but light: they say that something is wanted, not what. */
export const WEAK_WORDS: readonly string[] = words(`
  able add allow also always another apply around ask available back bad become before begin best better between bring
  call came case change come common create current day different down easy every everything everyone
  fast find fine first full go going good great happen help high hour important include internal
  keep kind know last latest less long look lot low made main make makes making many mean minute month morning much
  need needed needs new next nice night number old one open part place possible problem provide put quick quickly
  ready real recent right run running say second see set several show similar simple single start stop stuff
  sure take tell thing things think time today together tomorrow tonight try turn two type
  use used useful user using various view want wanted wants way week whole work working world write year yesterday
`)

/** Ordinary English: not a typo of a word in the catalogue, however close. */
export const ORDINARY_WORDS: readonly string[] = words(`
  above across act adult advice afraid afternoon age ago air alone along already although animal answer apart apple
  area arm army art autumn away baby bacon bag bake baking ball band bank bar bath beach bear beautiful bed beer bell
  belt bike bill bird birth birthday black blood blue boat body bone book booking born boss bottle bottom bowl box
  boy brain bread break breakfast bridge bright brother brown brush bus business busy butter button buy cake camp
  candle car card care carpet carry cat catch cause chair chance cheap cheese chess chicken child children choice
  choose church circle city class clean clear clever climb clock close cloth clothes cloud coat coffee cold color
  colour comfort company conference cook cooking cool corn corner cost cough country couple course court cousin cover
  cow cream cross crowd cry cup curtain cut dance danger dark date daughter dead deal dear death deep desk dinner
  dirty doctor dog door doubt draw dream dress drink drive driver drop dry duck dust ear early earth east eat edge
  egg eight electric empty end engine enjoy enough enter equal evening everyone example excuse exercise expect eye
  face fact fair fall family famous far farm father favorite favourite feel feet fence fever field fight film final
  finger fire fish fit five flag flat flight floor flour flower fly fold follow food foot football forest forget fork
  form forty found four free freedom fresh friday friend fruit fun funny furniture future game garden gas gate gift
  girl glad glass goal goat god gold grammar grandmother grass gray green grey ground group grow guess guitar gun
  guy hair half hall hand happy hard hat hate head health hear heart heat heavy help hill history hit hobby hold hole
  holiday home honest hope horse hospital hotel house human hundred hungry hurt ice idea inside island jacket job
  joke journey juice jump keen key kick kid king kitchen knee knife knock lady lake lamp land language large late
  laugh law lawyer lazy lead leaf learn leave left leg lemon lesson letter life lift light line lion lip listen
  little live loan local lock lonely lose loss loud love luck lucky lunch magic mail mall man map march mark market
  marriage marry match matter meal meat medicine meet member memory men message metal middle mile milk million mind
  minute mirror miss mistake mix monday money moon mother mountain mouse mouth move movie museum music nail name
  narrow nature near neck neighbor neighbour neither never news newspaper noise none noon north nose note nothing
  notice nurse ocean offer office often oil older orange order outside oven page pain paint pair pan paper parent
  park party pass past path pay peace pen pencil people pepper person pet phone photo piano pick picture piece pig
  pink pizza plan plane plant plate play player pleasure pocket poem poet point police polite pool poor post potato
  pound power practice pray present president press pretty price print prize proud pull pupil puppy push quarter
  queen question quiet race radio rain raise reach read reason recipe red remember rent repeat reply rest restaurant
  result rice rich ride ring rise river road rock roof room rose round rubber rule sad safe sail salad salt sand
  saturday save scarf school science scissors sea season seat secret seem sell send serve seven shade shadow shake
  shape share sharp sheep sheet shelf shine ship shirt shoe shop short shoulder shout shut sick side sign silence
  silver sing singer sister sit six size skin skirt sky sleep slow small smell smile smoke snow soap sock soft soil
  soldier son song soon sorry sound soup south space speak special speed spell spend spoon sport spring square stairs
  stamp stand star state station stay steal steel step stick stone store storm story stove strange street strong
  student study style sugar suit summer sun sunday swim table tail taste tax tea teach teacher team tear teeth
  television ten tennis tent terrible test thick thin third thirsty thousand three throw thumb thunder thursday ticket
  tie tiger tight tiny tire tired toe tomato tongue tooth top touch tour towel tower town toy train travel tree trip
  trouble truck true trust truth tuesday turkey twelve twenty twice ugly umbrella uncle understand unit upper valley
  value vegetable village visit voice wait waiter walk wall war warm wash waste watch water weak wear weather wedding
  wednesday weight welcome west wet wheel white wide wife wild win wind window wine winter wire wise wish woman wonder
  wood wool word worker worry worse worst wrong yard yellow young zero zoo
`)

/** What the stemmer leaves apart: another form, then the form that it is read as. */
export const IRREGULAR_WORDS: Readonly<Record<string, string>> = {
  ads: 'ad',
  analyses: 'analysis',
  analytic: 'analytics',
  analyze: 'analysis',
  analyzed: 'analysis',
  analyzing: 'analysis',
  analyse: 'analysis',
  analysed: 'analysis',
  analysing: 'analysis',
  broke: 'break',
  broken: 'break',
  built: 'build',
  compliant: 'compliance',
  comply: 'compliance',
  crises: 'crisis',
  dbs: 'db',
  dead: 'die',
  deployments: 'deployment',
  died: 'die',
  dies: 'die',
  dying: 'die',
  fell: 'fall',
  fallen: 'fall',
  found: 'find',
  frozen: 'freeze',
  healthy: 'health',
  hung: 'hang',
  ids: 'id',
  indices: 'index',
  ips: 'ip',
  kept: 'keep',
  lost: 'lose',
  matrices: 'matrix',
  orchestrator: 'orchestrate',
  orchestration: 'orchestrate',
  overspent: 'overspend',
  paid: 'pay',
  ran: 'run',
  rang: 'ring',
  schemata: 'schema',
  sent: 'send',
  shown: 'show',
  sold: 'sell',
  spent: 'spend',
  statuses: 'status',
  stuck: 'stick',
  threw: 'throw',
  thrown: 'throw',
  unhealthy: 'health',
  vms: 'vm',
  vulnerable: 'vulnerability',
  went: 'go',
  woke: 'wake',
  written: 'write',
  wrote: 'write',
}

/** Not stemmed: an abbreviation that ends in `s`, or a word that means something else than its stem. */
export const UNSTEMMED_WORDS: readonly string[] = words(`
  aws dns sms tls ios rds eks ecs aks sqs sns ses sts ds gas bus gis os ops k8s gcs ebs efs iis nfs cms kms rss gps css
  deployment es as is js ts cors saas iaas paas https ms us nps dms lms vps crs
`)
